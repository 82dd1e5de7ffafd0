"""The read models of instruments: terms, books, trades and prices."""

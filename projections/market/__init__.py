"""Read models of instruments: terms, books, trades, prices."""

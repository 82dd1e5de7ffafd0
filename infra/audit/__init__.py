"""`bourse audit verify`: what it proves about a log, and how, each part on its own."""

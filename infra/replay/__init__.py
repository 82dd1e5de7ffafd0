"""`bourse replay`: recorded order flow, sent through the exchange and compared."""

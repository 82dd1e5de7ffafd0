"""The facts that Bourse records, one module for each kind of stream."""

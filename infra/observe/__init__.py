"""What an operator sees of a server: metrics, the access log, changes of state."""

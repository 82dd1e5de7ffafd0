"""The handlers: one function for each command, which decides and records facts."""

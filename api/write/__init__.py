"""The write door: parse, command, answer and log position."""

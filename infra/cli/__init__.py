"""The command line: commands, what they print, how they fail."""

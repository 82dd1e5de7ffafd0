"""The command line: its commands, their output and their failures."""

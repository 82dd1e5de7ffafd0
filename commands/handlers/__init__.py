"""One function for each command: it decides, and records facts."""

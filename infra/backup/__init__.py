"""Backups of the log: writing one file, and restoring it aside before the switch."""

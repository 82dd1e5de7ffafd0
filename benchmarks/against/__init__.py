"""A comparison of two commits that take turns on one machine."""

"""The read door: queries of the read models, each at a log position."""

"""The read side: projections turn facts into views."""

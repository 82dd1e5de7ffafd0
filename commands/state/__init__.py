"""What the writer holds in memory, and its frozen form."""

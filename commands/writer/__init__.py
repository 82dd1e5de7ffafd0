"""The one writer: it decides in memory, commits in groups, and leads."""

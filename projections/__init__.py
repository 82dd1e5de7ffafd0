"""The read side: facts in, views out."""

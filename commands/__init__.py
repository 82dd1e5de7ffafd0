"""The write side: intents in, facts out."""

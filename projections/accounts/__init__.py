"""The read models of accounts and users."""

"""Read models of accounts and users."""

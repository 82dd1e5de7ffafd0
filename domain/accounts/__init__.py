"""People and their accounts: cash, shares, settlement, roles."""

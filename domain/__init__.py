"""The rules of the market and of money: pure, deterministic, exact."""

"""Passwords, tokens, the installation's secret, sealed personal data."""

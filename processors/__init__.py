"""Hosts: they move events, they decide nothing."""

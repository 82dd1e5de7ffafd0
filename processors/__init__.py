"""Hosts: they apply facts to views and submit timed commands; they decide nothing."""

"""Measurements: one question a module, each beside its ceiling in the same run."""

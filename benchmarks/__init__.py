"""Benchmarks: one question per module, each with its ceiling in the same run."""

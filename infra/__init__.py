"""The outermost ring: drivers, settings, wiring, entry points."""

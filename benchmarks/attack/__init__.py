"""Attacks on a server of this machine: what they cost it and its other clients."""

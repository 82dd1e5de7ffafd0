"""Access of command-line tools to an installation: its servers, and its rights."""

"""How a command-line tool reaches an installation and may act on it."""

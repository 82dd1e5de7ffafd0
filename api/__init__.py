"""The HTTP and WebSocket doors: one writes, one reads."""

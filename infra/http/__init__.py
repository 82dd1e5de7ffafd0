"""What clients may use up: connections, requests, heads, bodies and time."""

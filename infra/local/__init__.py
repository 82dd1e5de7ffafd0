"""The real servers that `make run` starts by itself: Postgres and Redis."""

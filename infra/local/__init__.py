"""The embedded servers, Postgres and Redis, which `make run` starts by itself."""

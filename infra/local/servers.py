"""The servers that `make run` starts by itself, and how they end.

They belong to a home folder, not to a process: whoever starts them first makes them,
everybody after that adopts them, and they survive the death of any of these.
"""

from pathlib import Path

from infra.local import postgres, redis_server
from infra.local.folder import LocalServer

__all__ = [
    "LocalServer",
    "start_postgres",
    "start_redis",
    "stop_postgres",
    "stop_redis",
]


def start_postgres(home: Path) -> LocalServer:
    """The Postgres of this home, running and answering."""
    return postgres.start(home)


def start_redis(home: Path) -> LocalServer:
    """The Redis of this home, running and answering."""
    return redis_server.start(home)


def stop_postgres(home: Path) -> None:
    """End the Postgres of this home in an orderly way, if it runs."""
    postgres.stop(home)


def stop_redis(home: Path) -> None:
    """End the Redis of this home in an orderly way, if it runs."""
    redis_server.stop(home)

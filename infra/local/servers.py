"""The servers that `make run` starts by itself, and how they end.

They belong to a home folder, not to a process: whoever starts them first makes them,
everybody after that adopts them, and they survive the death of any of these.
"""

from contextlib import ExitStack
from pathlib import Path

from infra.local import postgres, redis_server
from infra.local.folder import LocalServer
from infra.local.postgres import serves_others

__all__ = [
    "LocalServer",
    "start_postgres",
    "start_redis",
    "stop_local_servers",
    "stop_postgres",
    "stop_redis",
]


def start_postgres(home: Path, port: int | None = None) -> LocalServer:
    """The Postgres of this home, running and answering. Where a port is named, a new
    one starts there or not at all: somebody knows it by that."""
    return postgres.start(home, port)


def start_redis(home: Path, port: int | None = None) -> LocalServer:
    """The Redis of this home, running and answering; the port as for Postgres."""
    return redis_server.start(home, port)


def stop_postgres(home: Path) -> None:
    """End the Postgres of this home in an orderly way, if it runs."""
    postgres.stop(home)


def stop_redis(home: Path) -> None:
    """End the Redis of this home in an orderly way, if it runs."""
    redis_server.stop(home)


def stop_local_servers(
    home: Path, *, postgres: bool = True, redis: bool = True
) -> bool:
    """End those of this home; one that does not end keeps nobody from ending.

    False, and nothing is done, where another server of Bourse works on them.
    """
    if postgres and serves_others(home):
        return False
    with ExitStack() as stack:
        if postgres:
            stack.callback(stop_postgres, home)
        if redis:
            stack.callback(stop_redis, home)
    return True

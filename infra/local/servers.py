"""Starts and stops the embedded servers of a home folder.

They belong to the folder, not to a process. The first process creates and starts them,
later processes adopt them, and they survive the death of any of these processes.
"""

from contextlib import ExitStack
from pathlib import Path

from infra.local import postgres, redis_server
from infra.local.folder import LocalServer
from infra.local.postgres import data_of as data_of_postgres
from infra.local.postgres import running_url as running_postgres
from infra.local.postgres import serves_others
from infra.local.redis_server import running_url as running_redis

__all__ = [
    "LocalServer",
    "data_of_postgres",
    "running_postgres",
    "running_redis",
    "serves_others",
    "start_postgres",
    "start_redis",
    "stop_local_servers",
    "stop_postgres",
    "stop_redis",
]


def start_postgres(home: Path, port: int | None = None) -> LocalServer:
    """Return the Postgres of this home, and start it if it does not run.

    With a `port`, a new one listens there or raises PortTaken: clients know that port.
    """
    return postgres.start(home, port)


def start_redis(home: Path, port: int | None = None) -> LocalServer:
    """Return the Redis of this home, and start it, like Postgres, if need be."""
    return redis_server.start(home, port)


def stop_postgres(home: Path) -> None:
    """Stop the Postgres of this home in an orderly way, if it runs."""
    postgres.stop(home)


def stop_redis(home: Path) -> None:
    """Stop the Redis of this home in an orderly way, if it runs."""
    redis_server.stop(home)


def stop_local_servers(
    home: Path, *, postgres: bool = True, redis: bool = True
) -> bool:
    """Stop both servers of this home; a failure to stop one does not block the other.

    Return False and do nothing if another server of Bourse uses them.
    """
    if postgres and serves_others(home):
        return False
    with ExitStack() as stack:
        if postgres:
            stack.callback(stop_postgres, home)
        if redis:
            stack.callback(stop_redis, home)
    return True

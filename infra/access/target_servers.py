"""Finds the Postgres and the Redis that a command works on, and the running server.

The environment names them. Else the server that runs in BOURSE_HOME uses them. Else
they are the embedded ones of BOURSE_HOME, which a command starts if they do not run.
The last command that uses an embedded server stops it, if a command started it.
"""

import fcntl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

import msgspec
import psutil

from infra.local.servers import (
    LocalServer,
    start_postgres,
    start_redis,
    stop_postgres,
    stop_redis,
)
from infra.local.serving import is_served
from infra.log.connection import connect
from infra.runtime.settings import Settings

ALONE_SECONDS = 3.0
LOOK_SECONDS = 0.05

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class NoInstallation(Exception):
    """BOURSE_HOME holds no installation to work on."""

    code = "no-installation"

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"there is no installation in {home.resolve()}; set BOURSE_HOME to another "
            "folder, or DATABASE_URL to a Postgres"
        )


class Running(msgspec.Struct, frozen=True):
    """The part of `run.json` that commands need."""

    base_url: str
    database_url: str
    redis_url: str


def running_server(home: Path) -> Running | None:
    """Return the server of this home, if it is alive and has become ready."""
    if not is_served(home):
        return None
    try:
        return msgspec.json.decode((home / "run.json").read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


@contextmanager
def target_postgres(settings: Settings, *, new: bool = False) -> Generator[str]:
    """Yield the URL of the Postgres that holds the log.

    Raises:
        NoInstallation: BOURSE_HOME holds none, and `new` does not allow one.
    """
    running = running_server(settings.home)
    if settings.database_url is not None:
        yield settings.database_url
    elif running is not None:
        yield running.database_url
    elif not new and not (settings.home / "postgres").exists():
        raise NoInstallation(settings.home)
    else:
        with _embedded(
            "postgres", start_postgres, _leave_postgres, settings.home
        ) as url:
            yield url


@contextmanager
def target_redis(settings: Settings) -> Generator[str]:
    """Yield the URL of the Redis that holds the read models."""
    running = running_server(settings.home)
    if settings.redis_url is not None:
        yield settings.redis_url
    elif running is not None:
        yield running.redis_url
    else:
        with _embedded("redis", start_redis, _leave_redis, settings.home) as url:
            yield url


@contextmanager
def _embedded(
    name: str,
    start: Callable[[Path], LocalServer],
    leave: Callable[[Path, str], None],
    home: Path,
) -> Generator[str]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # All users of the server share this lock. The file names the pid of a server that
    # a command started.
    with (home / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = start(home)
        # A server that this process started is its child; an adopted one is not.
        if server.pid in {child.pid for child in psutil.Process().children()}:
            lock.truncate(0)
            lock.write(f"{server.pid}")
            lock.flush()
        try:
            yield server.url
        finally:
            lock.seek(0)
            if lock.read() == f"{server.pid}" and _lock_exclusively(lock):
                leave(home, server.url)


def _lock_exclusively(lock: TextIO) -> bool:
    """Return whether no other command uses the server; later ones wait from now on."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leave_postgres(home: Path, url: str) -> None:
    # A Bourse server that started meanwhile has adopted this Postgres.
    if _is_alone(url) and not is_served(home):
        stop_postgres(home)


def _is_alone(url: str) -> bool:
    """Return whether nobody else uses a Postgres. Our connections need time to end."""
    deadline = monotonic() + ALONE_SECONDS
    with connect(url, name="bourse-cli") as connection:
        while True:
            row = connection.execute(_OTHERS).fetchone()
            if row is None or not row[0]:
                return True
            if monotonic() > deadline:
                return False
            sleep(LOOK_SECONDS)


def _leave_redis(home: Path, _: str) -> None:
    if not is_served(home):
        stop_redis(home)

"""The lock on `run.lock`, which the process that serves a home holds.

The system releases the lock when the process ends in any way, so a crash leaves nothing
misleading behind. The holder writes its pid to the file.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

LOCK_FILE = "run.lock"


class ServedAlready(Exception):
    """Another process serves this home."""


@contextlib.contextmanager
def serving(home: Path) -> Generator[None]:
    """Hold the lock of a home.

    Raises:
        ServedAlready
    """
    # Open without truncating: the pid of another process may be in it.
    with (home / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as reason:
            raise ServedAlready from reason
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def is_served(home: Path) -> bool:
    """Return whether a process serves this home, even if it is starting or stopping."""
    try:
        with (home / LOCK_FILE).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def serving_pid(home: Path) -> int | None:
    """Return the pid of the process that serves this home.

    Return None if there is none, or if it has not written its pid yet.
    """
    if not is_served(home):
        return None
    text = (home / LOCK_FILE).read_text()
    return int(text) if text.isdigit() else None

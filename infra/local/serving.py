"""Which process serves a home: the one that holds the lock of `run.lock`.

The system takes the lock away when the process is gone, however it went, so nobody is
ever misled by what a crash left behind. The process that holds it wrote its pid there.
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
    """Serve a home, alone.

    Raises:
        ServedAlready
    """
    # Not emptied when it is opened: the pid of another one may stand in it.
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
    """Whether a process serves this home just now, be it only beginning or ending."""
    try:
        with (home / LOCK_FILE).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def serving_pid(home: Path) -> int | None:
    """The process that serves this home; None where there is none, or it has not said
    so yet."""
    if not is_served(home):
        return None
    text = (home / LOCK_FILE).read_text()
    return int(text) if text.isdigit() else None

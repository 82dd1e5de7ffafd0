"""The folder of one embedded server: its lock, its log, and what it must remember."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe

import msgspec
from msgspec import Struct

from infra.local.account import make_folder
from infra.local.errors import FolderBusy, LocalServerError

LOCK_SECONDS = 180.0


class LocalServer(Struct, frozen=True):
    """A server that is running and answers; `place` is where its data is."""

    url: str
    pid: int
    place: Path


class Remembered(Struct, frozen=True):
    """What must be the same at the next start."""

    password: str
    port: int
    # Where the data is, if it could not stay in the server's own folder.
    elsewhere: str | None = None


class ServerFolder(Struct, frozen=True):
    """`BOURSE_HOME/postgres` or `BOURSE_HOME/redis`."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def memory(self) -> Path:
        return self.path / "server.json"

    def remembered(self) -> Remembered | None:
        try:
            return msgspec.json.decode(self.memory.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as reason:
            raise LocalServerError(
                f"{self.memory} does not say any longer how to reach the server "
                f"({reason}). Put back a copy of it; the one of Redis may be deleted."
            ) from reason

    def remember(self, what: Remembered) -> None:
        staging = self.memory.with_name("server.json.new")
        staging.unlink(missing_ok=True)
        # It holds the password: nobody else may read it, from its first byte on.
        handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(what))
            file.flush()
            os.fsync(file.fileno())
        staging.replace(self.memory)


def new_password() -> str:
    """A password that needs no quoting in a URL or a configuration file."""
    return token_urlsafe(24)


@contextmanager
def locked(path: Path) -> Generator[ServerFolder]:
    """The folder, made where it is missing, for this process alone."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    make_folder(path)
    deadline = time.monotonic() + LOCK_SECONDS
    with (path / "lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise FolderBusy(path, seconds=LOCK_SECONDS) from None
                time.sleep(0.05)
        yield ServerFolder(path)

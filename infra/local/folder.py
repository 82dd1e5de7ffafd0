"""The folder of one embedded server: its lock, its log, its password and port."""

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
    """A running server that answers. `place` is the folder of its data."""

    url: str
    pid: int
    place: Path


class Remembered(Struct, frozen=True):
    """The content of `server.json`, which one start leaves for the next."""

    password: str
    port: int
    # The folder of the data, if the data could not stay in the server's own folder.
    elsewhere: str | None = None


class ServerFolder(Struct, frozen=True):
    """The folder `BOURSE_HOME/postgres` or `BOURSE_HOME/redis`."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def memory(self) -> Path:
        return self.path / "server.json"

    def is_ours(self) -> bool:
        """Return whether Bourse keeps, or kept, a server here."""
        return self.memory.is_file()

    def remembered(self) -> Remembered | None:
        try:
            return msgspec.json.decode(self.memory.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as reason:
            raise LocalServerError(
                f"{self.memory} is damaged and does not say how to reach the server "
                f"({reason}). Restore a copy of it; you may delete that of Redis."
            ) from reason

    def remember(self, what: Remembered) -> None:
        staging = self.memory.with_name("server.json.new")
        staging.unlink(missing_ok=True)
        # The file holds the password, so nobody else may ever read it.
        handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(what))
            file.flush()
            os.fsync(file.fileno())
        staging.replace(self.memory)


def new_password() -> str:
    """Return a password that needs no quoting in a URL or a configuration file."""
    return token_urlsafe(24)


@contextmanager
def locked(path: Path) -> Generator[ServerFolder]:
    """Lock the folder for this process, and create it if it is missing."""
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

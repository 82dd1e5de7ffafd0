"""The data folder of the embedded Postgres, and the lock file the server keeps in it.

The folder is made whole or not at all. Where this process is root it belongs to an
unprivileged account, and lies elsewhere if that account cannot come to the home.
"""

import os
import shutil
import subprocess
from pathlib import Path

from infra.local.account import (
    Account,
    elsewhere,
    give,
    may_execute,
    server_account,
)
from infra.local.binaries import postgres_programs
from infra.local.errors import NoPlaceToRun, ServerDidNotStart
from infra.local.folder import Remembered, ServerFolder, new_password
from infra.local.process import choose_port, open_log, plain_environment

NAME = "Postgres"
USER = "bourse"


def data_folder(folder: ServerFolder, remembered: Remembered) -> Path:
    """Where this home's data is."""
    if remembered.elsewhere is not None:
        return Path(remembered.elsewhere) / "data"
    return folder.path / "data"


def prepare(folder: ServerFolder) -> Remembered:
    """Decide, once, the password and the place of a new home's data."""
    data = folder.path / "data"
    if data.exists():
        raise NoPlaceToRun(
            f"There is data in {data}, but no {folder.memory.name} beside it, and so "
            "no password. Put that file back, or move the folder away."
        )
    account = server_account(data)
    place: str | None = None
    if account is not None and not may_execute(account, folder.path):
        place = str(elsewhere(account))
    remembered = Remembered(new_password(), choose_port(None), place)
    folder.remember(remembered)
    return remembered


def initialize(
    folder: ServerFolder, data: Path, account: Account | None, *, password: str
) -> None:
    """Make the data folder; whole or not at all, whenever we are killed."""
    staging = data.with_name("data.new")
    secret = data.with_name("password")
    shutil.rmtree(staging, ignore_errors=True)
    secret.unlink(missing_ok=True)
    data.parent.mkdir(exist_ok=True)
    staging.mkdir(mode=0o700)
    secret.touch(mode=0o600)
    secret.write_text(password)
    for path in (staging, secret):
        give(path, account)
    options = {
        "--pgdata": staging,
        "--pwfile": secret,
        "--username": USER,
        "--auth": "scram-sha-256",
        "--encoding": "UTF8",
        "--locale": "C",
    }
    initdb = postgres_programs(account) / "initdb"
    with open_log(folder.log) as log:
        result = subprocess.run(
            [initdb, *(f"{name}={value}" for name, value in options.items())],
            cwd=data.parent,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
    secret.unlink()
    if result.returncode != 0:
        raise ServerDidNotStart(NAME, reason="initdb failed.", log=folder.log)
    staging.rename(data)


def disown_stale_lock(data: Path) -> None:
    """Let a lock file go whose pid belongs to another program by now.

    After a crash Postgres would believe that the other program is the server, and
    refuse to start. It passes over the pid of its own parent, which is us; deleting
    the file instead would also skip its check for shared memory still in use.
    """
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))


def lock_lines(data: Path) -> list[str]:
    """The lock file's lines, none where there is no server.

    They are: pid, data folder, start, port, socket folder, address, shared memory,
    status.
    """
    try:
        text = (data / "postmaster.pid").read_text()
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines()]

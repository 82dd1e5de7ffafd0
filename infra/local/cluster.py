"""The data folder of the embedded Postgres, and the lock file of its server.

The folder appears whole or not at all. If this process is root, an unprivileged account
owns the folder; if that account cannot enter the home, the folder is outside of it.
"""

import os
import shutil
import subprocess
from pathlib import Path

from infra.local.account import (
    SystemAccount,
    give,
    may_execute,
    new_data_folder,
    server_account,
)
from infra.local.binaries import postgres_programs
from infra.local.errors import NoPlaceToRun, ServerDidNotStart
from infra.local.folder import Remembered, ServerFolder, new_password
from infra.local.process import choose_port, open_log, plain_environment

NAME = "Postgres"
USER = "bourse"


def data_folder(folder: ServerFolder, remembered: Remembered) -> Path:
    """Return the data folder of this home."""
    if remembered.elsewhere is not None:
        return Path(remembered.elsewhere) / "data"
    return folder.path / "data"


def prepare(folder: ServerFolder) -> Remembered:
    """Choose, once, the password and the data folder of a new home."""
    data = folder.path / "data"
    if data.exists():
        raise NoPlaceToRun(
            f"There is data in {data}, but its password is lost: there is no "
            f"{folder.memory}. Put that file back, or move the data away."
        )
    account = server_account(data)
    place: str | None = None
    if account is not None and not may_execute(account, folder.path):
        place = str(new_data_folder(account))
    remembered = Remembered(new_password(), choose_port(None), place)
    folder.remember(remembered)
    return remembered


def initialize(
    folder: ServerFolder, data: Path, account: SystemAccount | None, *, password: str
) -> None:
    """Create the data folder: whole or not at all, even if this process is killed."""
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
    """Write our pid to a lock file that a crashed server left behind.

    Another program may have the crashed server's pid by now. Postgres would take that
    program for its server and refuse to start, but it ignores the pid of its parent,
    which is us. Without the file Postgres would not check for shared memory in use.
    """
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))


def lock_lines(data: Path) -> list[str]:
    """Return the lines of the lock file, or nothing if there is no server.

    The lines are: pid, data folder, start, port, socket folder, address, shared memory,
    status.
    """
    try:
        text = (data / "postmaster.pid").read_text()
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines()]

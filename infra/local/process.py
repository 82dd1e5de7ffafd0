"""A server process that outlives the one that started it: spawned, recognised, awaited.

The server runs in a session of its own, so neither Ctrl-C nor the death of its
parent reaches it. It is found again by its pid *and* by an argument on its command
line that only ours has, because a pid alone may belong to somebody else by then.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import psutil

from infra.local.account import Account
from infra.local.errors import PortTaken

LOCALHOST = "127.0.0.1"
POLL_SECONDS = 0.02
LOG_BYTES_MAX = 10_000_000

# Children of this very process must be reaped by it, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(
    command: Sequence[str], *, folder: Path, log: Path, account: Account | None
) -> int:
    """Start the server in `folder`, its output appended to `log`; its pid."""
    with open_log(log) as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # What it writes is for its own account only.
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _children[process.pid] = process
    return process.pid


def open_log(log: Path) -> BinaryIO:
    """The log to append to; a large one is put aside, in place of the one before it."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(log.name + ".old"))
    # Statements with personal data can reach it.
    log.touch(mode=0o600)
    return log.open("ab")


def plain_environment() -> dict[str, str]:
    """The environment without what Postgres programs would read from it."""
    kept = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def is_running(pid: int, *, argument: str) -> bool:
    """Whether `pid` is alive and was started with `argument`."""
    try:
        process = psutil.Process(pid)
        return _is_alive(process) and argument in process.cmdline()
    except psutil.Error:
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        # A dead process nobody has reaped is dead: containers often run without
        # an init that would do it.
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        alive = False
    if not alive and (child := _children.pop(process.pid, None)) is not None:
        child.wait()
    return alive


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until_gone(pid: int, *, seconds: float) -> bool:
    """Whether the process ended within the time given."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    deadline = time.monotonic() + seconds
    # Not by its command line, which is gone before the process and its port are.
    while _is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def choose_port(remembered: int | None, *, only: int | None = None) -> int:
    """The remembered port while nobody else has it, else a free one.

    Raises:
        PortTaken: somebody has the `only` one that it may be.
    """
    wanted = only or remembered
    if wanted is not None and port_is_free(wanted):
        return wanted
    if only is not None:
        raise PortTaken(only)
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As the servers themselves do: connections that have ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
    return True

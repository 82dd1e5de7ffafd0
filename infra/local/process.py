"""Starts, recognizes and awaits server processes that outlive their parent.

The server runs in a separate session, so neither Ctrl-C nor the death of its parent
reaches it. Its pid *and* a unique argument on its command line identify it, because the
pid alone may belong to another program later.
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

from infra.local.account import SystemAccount
from infra.local.errors import PortTaken

LOCALHOST = "127.0.0.1"
POLL_SECONDS = 0.02
#: How long a new process may have no command line; a kernel's thread never has one.
LOADING_SECONDS = 1.0
LOG_BYTES_MAX = 10_000_000

# This process must reap its own children, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(
    command: Sequence[str], *, folder: Path, log: Path, account: SystemAccount | None
) -> int:
    """Start a server in `folder`, append its output to `log`, and return its pid."""
    with open_log(log) as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # Only its own account may read its files.
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _children[process.pid] = process
    return process.pid


def open_log(log: Path) -> BinaryIO:
    """Open a log to append to. Rename a large log first, replacing the older one."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(log.name + ".old"))
    # Statements with personal data may be in it.
    log.touch(mode=0o600)
    return log.open("ab")


def plain_environment() -> dict[str, str]:
    """Return the environment without the variables that Postgres programs read."""
    plain = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    return plain | {"LC_ALL": "C", "TZ": "UTC"}


def is_running(pid: int, *, argument: str) -> bool:
    """Return whether `pid` is alive and has `argument` on its command line."""
    try:
        process = psutil.Process(pid)
        return _is_alive(process) and argument in _command_line(process)
    except psutil.Error:
        return False


def _command_line(process: psutil.Process) -> list[str]:
    """Return the command line. While a program is being loaded, it is empty."""
    deadline = time.monotonic() + LOADING_SECONDS
    while not (words := process.cmdline()) and _is_alive(process):
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return words


def _is_alive(process: psutil.Process) -> bool:
    try:
        # A zombie counts as dead: many containers have no init that reaps it.
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        alive = False
    if not alive and (child := _children.pop(process.pid, None)) is not None:
        child.wait()
    return alive


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process, unless it is gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until_gone(pid: int, *, seconds: float) -> bool:
    """Wait up to `seconds`, and return whether the process ended."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    deadline = time.monotonic() + seconds
    # The command line disappears before the process and its port do.
    while _is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def choose_port(remembered: int | None, *, only: int | None = None) -> int:
    """Return the remembered port if it is free, else another free one.

    Raises:
        PortTaken: the caller allows `only` one port, and that is not free.
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
    """Return whether a server could listen on the port now."""
    with socket.socket() as probe:
        # The servers set this too, so that old connections do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
    return True

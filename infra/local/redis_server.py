"""The embedded Redis (or Valkey): started, adopted, stopped.

It keeps read models only, which the log can give again at any time. So it writes
nothing while it runs, and one file when it is stopped, to save the next rebuild.
"""

import signal
import socket
import time
from pathlib import Path

from msgspec.structs import replace

from infra.local.binaries import redis_program
from infra.local.errors import ServerDidNotStart, ServerDidNotStop
from infra.local.folder import (
    LocalServer,
    Remembered,
    ServerFolder,
    locked,
    new_password,
)
from infra.local.process import (
    LOCALHOST,
    POLL_SECONDS,
    choose_port,
    is_running,
    send,
    spawn,
    wait_until_gone,
)

NAME = "Redis"
READY_SECONDS = 30.0
STOP_SECONDS = 30.0
ANSWER_SECONDS = 5.0
START_ATTEMPTS = 5


def start(home: Path, port: int | None = None) -> LocalServer:
    """The server of this home: the one that runs already, or a new one, on the port
    named, if one is."""
    with locked(home / "redis") as folder:
        remembered = folder.remembered()
        if remembered is None:
            remembered = Remembered(new_password(), choose_port(None))
        pid = _running(folder)
        if pid is not None:
            if _becomes_ready(folder, remembered, pid):
                return LocalServer(_url(remembered), pid, folder.path)
            # It hangs, and it holds nothing that is not in the log.
            _kill(folder, pid)
        return _launch(folder, remembered, port)


def stop(home: Path) -> None:
    """End the server after it wrote its file; nothing happens where none runs."""
    if not (home / "redis").is_dir():
        return
    with locked(home / "redis") as folder:
        pid = _running(folder)
        remembered = folder.remembered()
        if pid is None or remembered is None:
            return
        _ask(remembered, "SHUTDOWN SAVE")
        if not wait_until_gone(pid, seconds=STOP_SECONDS):
            _kill(folder, pid)


def _kill(folder: ServerFolder, pid: int) -> None:
    send(pid, signal.SIGKILL)
    if not wait_until_gone(pid, seconds=STOP_SECONDS):
        raise ServerDidNotStop(NAME, pid=pid, log=folder.log)


def _launch(
    folder: ServerFolder, remembered: Remembered, port: int | None
) -> LocalServer:
    program = redis_program()
    for attempt in range(START_ATTEMPTS):
        # The port may have been taken in between; every attempt looks again.
        time.sleep(0.2 * attempt)
        chosen = choose_port(remembered.port, only=port)
        remembered = replace(remembered, port=chosen)
        folder.remember(remembered)
        _configure(folder, remembered)
        pid = spawn(
            [str(program), _mark(folder)],
            folder=folder.path,
            log=folder.log,
            account=None,
        )
        if _becomes_ready(folder, remembered, pid):
            return LocalServer(_url(remembered), pid, folder.path)
        send(pid, signal.SIGKILL)
    reason = f"it ended or did not answer, {START_ATTEMPTS} times."
    raise ServerDidNotStart(NAME, reason=reason, log=folder.log)


def _configure(folder: ServerFolder, remembered: Remembered) -> None:
    settings = {
        "bind": LOCALHOST,
        "port": str(remembered.port),
        "requirepass": remembered.password,
        "protected-mode": "yes",
        "daemonize": "no",
        # The log is standard output; the pid file is how we find it again.
        "logfile": '""',
        "pidfile": _quoted(folder.path / "pid"),
        # Our server is known by its command line, which a title would replace.
        "set-proc-title": "no",
        "dir": _quoted(folder.path),
        "dbfilename": "views.rdb",
        "appendonly": "no",
        "save": '""',
    }
    path = Path(_mark(folder))
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mark(folder: ServerFolder) -> str:
    """The argument on the command line by which our server is known."""
    return str(folder.path / "redis.conf")


def _running(folder: ServerFolder) -> int | None:
    try:
        text = (folder.path / "pid").read_text().strip()
    except FileNotFoundError:
        return None
    if text.isdigit() and is_running(int(text), argument=_mark(folder)):
        return int(text)
    return None


def _becomes_ready(folder: ServerFolder, remembered: Remembered, pid: int) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while is_running(pid, argument=_mark(folder)) and time.monotonic() < deadline:
        # Not "+PONG" yet while it reads its file.
        if _ask(remembered, "PING").endswith("+PONG\r\n"):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _ask(remembered: Remembered, command: str) -> str:
    """What the server says to our password and a command; empty if it is not ours.

    Two lines of its protocol need no driver, and the driver's home is elsewhere.
    """
    try:
        with socket.create_connection(
            (LOCALHOST, remembered.port), timeout=ANSWER_SECONDS
        ) as connection:
            connection.sendall(f"AUTH {remembered.password}\r\n{command}\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2 and (part := connection.recv(4096)):
                reply += part
            return reply.decode(errors="replace")
    except OSError:
        return ""


def _url(remembered: Remembered) -> str:
    return f"redis://:{remembered.password}@{LOCALHOST}:{remembered.port}/0"

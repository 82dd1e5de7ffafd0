"""Starts, adopts and stops the embedded Redis (or Valkey).

It keeps read models only, which a rebuild can derive from the log at any time. So Redis
writes nothing while it runs, and one file when it stops, which saves the next rebuild.
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
    """Return the server of this home, and start it if it does not run.

    A new server listens on `port`, if the caller passes one.
    """
    with locked(home / "redis") as folder:
        remembered = folder.remembered()
        if remembered is None:
            remembered = Remembered(new_password(), choose_port(None))
        pid = _running(folder)
        if pid is not None:
            if _becomes_ready(folder, remembered, pid):
                return LocalServer(_url(remembered), pid, folder.path)
            # The server hangs. Killing it is safe, because its data is in the log too.
            _kill(folder, pid)
        return _launch(folder, remembered, port)


def running_url(home: Path) -> str | None:
    """Return the URL of the server of this home if its process runs; start nothing."""
    folder = ServerFolder(home / "redis")
    remembered = folder.remembered()
    if remembered is None or _running(folder) is None:
        return None
    return _url(remembered)


def stop(home: Path) -> None:
    """Let the server write its file and stop, if it runs."""
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
        # Another program may take the port meanwhile, so each attempt checks it again.
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
    reason = f"it ended or did not answer, in {START_ATTEMPTS} attempts."
    raise ServerDidNotStart(NAME, reason=reason, log=folder.log)


def _configure(folder: ServerFolder, remembered: Remembered) -> None:
    settings = {
        "bind": LOCALHOST,
        "port": str(remembered.port),
        "requirepass": remembered.password,
        "protected-mode": "yes",
        "daemonize": "no",
        # The log is standard output; through the pid file we find the server again.
        "logfile": '""',
        "pidfile": _quoted(folder.path / "pid"),
        # We recognize our server by its command line, which a title would replace.
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
    """Return the command-line argument that identifies our server."""
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
        # While Redis loads its file, the answer is not "+PONG" yet.
        if _ask(remembered, "PING").endswith("+PONG\r\n"):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _ask(remembered: Remembered, command: str) -> str:
    """Send our password and a command, and return the answer, empty on an error.

    Two lines of the protocol need no driver; the driver belongs to `infra.views`.
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

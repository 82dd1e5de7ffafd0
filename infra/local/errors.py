"""The errors of embedded servers.

LocalServerError
├── BinaryMissing       this machine has no program to start
├── NoPlaceToRun        no account or folder is fit for Postgres
├── FolderBusy          another process takes too long to start or stop the server
├── PortTaken           another program listens on the server's port
├── ServerDidNotStart   the server ended early or never answered
└── ServerDidNotStop    the server still runs after it was stopped
"""

from pathlib import Path

LOG_LINES_SHOWN = 15


class LocalServerError(Exception):
    """An embedded server did not start, stop or answer."""

    code = "local-server"


class BinaryMissing(LocalServerError):
    """The program of the server is not on this machine."""

    code = "local-server-binary-missing"

    def __init__(self, server: str, *, remedy: str) -> None:
        super().__init__(f"This machine has no {server} program. {remedy}")


class NoPlaceToRun(LocalServerError):
    """The system has no account or no folder with which the server could run."""

    code = "local-server-no-place"


class FolderBusy(LocalServerError):
    """Another process held the lock of the server's folder for too long."""

    code = "local-server-busy"

    def __init__(self, folder: Path, *, seconds: float) -> None:
        super().__init__(
            f"Another process has been starting or stopping the server in {folder} "
            f"for more than {seconds:.0f} seconds."
        )


class PortTaken(LocalServerError):
    """Another program listens on the port that clients know the server by."""

    code = "local-server-port-taken"

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Another program listens on port {port} of 127.0.0.1, which the server "
            "needs. The server starts once the port is free."
        )


class ServerDidNotStart(LocalServerError):
    """The server ended early or never became ready."""

    code = "local-server-not-started"

    def __init__(self, server: str, *, reason: str, log: Path) -> None:
        self.log_tail = tail(log)
        super().__init__(
            f"{server} did not start: {reason} The end of its log, {log}:\n"
            f"{self.log_tail}"
        )


class ServerDidNotStop(LocalServerError):
    """The server still runs after it was stopped."""

    code = "local-server-not-stopped"

    def __init__(self, server: str, *, pid: int, log: Path) -> None:
        super().__init__(
            f"{server}, process {pid}, did not stop. The end of its log, {log}:\n"
            f"{tail(log)}"
        )


def tail(log: Path) -> str:
    """Return the last lines of a log file, or say that there are none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "  (no log)"
    lines = text.splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join(f"  {line}" for line in lines) or "  (empty)"

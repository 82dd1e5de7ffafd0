"""What can go wrong with an embedded server.

LocalServerError
├── BinaryMissing       no program to start on this machine
├── NoPlaceToRun        no account or folder under which Postgres would run
├── FolderBusy          another process has been starting or stopping it too long
├── PortTaken           somebody else listens where it must come back
├── ServerDidNotStart   it was started and ended, or never answered
└── ServerDidNotStop    it was told to end and did not
"""

from pathlib import Path

LOG_LINES_SHOWN = 15


class LocalServerError(Exception):
    """An embedded server could not be brought into the state that was asked for."""

    code = "local-server"


class BinaryMissing(LocalServerError):
    """The program of the server is not on this machine."""

    code = "local-server-binary-missing"

    def __init__(self, server: str, *, remedy: str) -> None:
        super().__init__(f"No {server} program was found. {remedy}")


class NoPlaceToRun(LocalServerError):
    """There is no account or no folder under which the server could run."""

    code = "local-server-no-place"


class FolderBusy(LocalServerError):
    """The lock of the server's folder stayed taken."""

    code = "local-server-busy"

    def __init__(self, folder: Path, *, seconds: float) -> None:
        super().__init__(
            f"Another process has been starting or stopping the server in {folder} "
            f"for more than {seconds:.0f} seconds."
        )


class PortTaken(LocalServerError):
    """The port that others know the server by is somebody else's now."""

    code = "local-server-port-taken"

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Another program listens on port {port} of 127.0.0.1, where the server "
            "must come back. It will, once the port is free."
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
    """The server was told to end and is still there."""

    code = "local-server-not-stopped"

    def __init__(self, server: str, *, pid: int, log: Path) -> None:
        super().__init__(
            f"{server}, process {pid}, did not end. The end of its log, {log}:\n"
            f"{tail(log)}"
        )


def tail(log: Path) -> str:
    """The last lines of a log file, or a word about their absence."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "  (no log)"
    lines = text.splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join(f"  {line}" for line in lines) or "  (empty)"

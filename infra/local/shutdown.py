"""How `make stop` ends an installation: the exchange first, then its servers.

The process that serves wrote its pid into `run.json`. It is asked to end, not killed,
and it stops its servers itself; what remains, because it had crashed, is stopped here.
"""

import signal
import sys
import time
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from infra.local.process import send
from infra.local.servers import stop_postgres, stop_redis
from infra.settings import SettingsError, read_settings

STOP_SECONDS = 60.0


class Run(Struct, frozen=True):
    """The part of `run.json` that is needed to end the process it names."""

    pid: int


def main() -> None:
    """End everything that belongs to BOURSE_HOME."""
    try:
        home = read_settings().home
    except SettingsError as error:
        sys.exit(str(error))
    if not stop_exchange(home):
        sys.exit(f"The exchange of {home} does not end; its servers are left running.")
    stop_redis(home)
    stop_postgres(home)


def stop_exchange(home: Path) -> bool:
    """Ask the serving process of this home to end; whether none is left."""
    process = serving_process(home)
    if process is None:
        return True
    send(process.pid, signal.SIGTERM)
    # The server may have been stopped as by SIGSTOP; it can end only when it goes on.
    send(process.pid, signal.SIGCONT)
    deadline = time.monotonic() + STOP_SECONDS
    while serving_process(home) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def serving_process(home: Path) -> psutil.Process | None:
    """The process that `run.json` names, if it is alive and still the same one."""
    path = home / "run.json"
    try:
        written = path.stat().st_mtime
        process = psutil.Process(msgspec.json.decode(path.read_bytes(), type=Run).pid)
        # A process younger than the file only inherited the number.
        same = process.create_time() <= written + 1
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (OSError, msgspec.DecodeError, psutil.Error):
        return None
    return process if same and alive else None


if __name__ == "__main__":
    main()

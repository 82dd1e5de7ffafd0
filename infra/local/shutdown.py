"""Stops an installation for `make stop`: the exchange first, then its servers.

This signals the serving process, which stops its embedded servers itself. If that
process has crashed, this stops the servers that it left.
"""

import signal
import sys
import time
from pathlib import Path

from infra.local.process import send
from infra.local.servers import stop_local_servers
from infra.local.serving import is_served, serving_pid
from infra.runtime.settings import SettingsError, read_settings

STOP_SECONDS = 60.0


def main() -> None:
    """Stop everything that belongs to BOURSE_HOME."""
    try:
        home = read_settings().home
    except SettingsError as error:
        sys.exit(str(error))
    was_served = is_served(home)
    if not stop_exchange(home):
        sys.exit(f"The exchange of {home} does not stop; its servers keep running.")
    if not stop_local_servers(home):
        sys.exit(
            f"Postgres and Redis of {home} keep running: another server of Bourse "
            "uses them. Stop that server first."
        )
    state = "The exchange has stopped" if was_served else "No exchange was running"
    sys.stdout.write(f"{state}; Postgres and Redis of {home} are stopped.\n")


def stop_exchange(home: Path) -> bool:
    """Signal the process that serves this home, and return whether none is left."""
    deadline = time.monotonic() + STOP_SECONDS
    signaled = None
    while is_served(home):
        pid = serving_pid(home)
        # Signal once: a second signal would abort the orderly stop.
        if pid is not None and pid != signaled:
            signaled = pid
            send(pid, signal.SIGTERM)
            # SIGSTOP may have suspended the process; it can end only if it continues.
            send(pid, signal.SIGCONT)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    main()

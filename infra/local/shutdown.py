"""How `make stop` ends an installation: the exchange first, then its servers.

The process that serves is asked to end, not killed, and it stops its servers itself;
what remains, because it had crashed, is stopped here.
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
    """End everything that belongs to BOURSE_HOME."""
    try:
        home = read_settings().home
    except SettingsError as error:
        sys.exit(str(error))
    if not stop_exchange(home):
        sys.exit(f"The exchange of {home} does not end; its servers are left running.")
    if not stop_local_servers(home):
        sys.exit(
            f"Postgres and Redis of {home} are left running: another server of Bourse "
            "works on them. End that one first."
        )


def stop_exchange(home: Path) -> bool:
    """Ask the process that serves this home to end; whether none is left."""
    deadline = time.monotonic() + STOP_SECONDS
    asked = None
    while is_served(home):
        pid = serving_pid(home)
        # Once: asked again, it would break off what it is ending.
        if pid is not None and pid != asked:
            asked = pid
            send(pid, signal.SIGTERM)
            # It may have been stopped as by SIGSTOP; it can end only when it goes on.
            send(pid, signal.SIGCONT)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    main()

"""`bourse` on a machine whose system clock a file sets ahead by seconds.

`python -m tests.support.stepped_clock run` is a server for tests of steps. Its steady
clock is that of the machine.
"""

import os
import time
from pathlib import Path

AHEAD_FILE = "TEST_CLOCK_AHEAD"

_real = time.time_ns


def _stepped() -> int:
    path = Path(os.environ[AHEAD_FILE])
    ahead = int(path.read_text() or 0) if path.exists() else 0
    return _real() + ahead * 1_000_000_000


if __name__ == "__main__":
    # Before the clock of the product takes the function.
    time.time_ns = _stepped
    from infra.cli.commands import main

    main()

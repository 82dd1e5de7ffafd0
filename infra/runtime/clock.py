"""The clock, which no other module reads from the system."""

import threading
import time


class SystemClock:
    """A `Clock` whose every reading is later than the one before.

    Sorting by time then has one order. After the system's clock was set back, each
    reading adds one microsecond. This holds within one process: after a restart or a
    failover, only the log position says what came first.
    """

    def __init__(self) -> None:
        self._latest = 0
        self._turn = threading.Lock()

    def now(self) -> int:
        with self._turn:
            self._latest = max(time.time_ns() // 1_000, self._latest + 1)
            return self._latest

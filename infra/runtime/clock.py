"""The only place that knows what time it is."""

import threading
import time


class SystemClock:
    """A `Clock`. Each time is later than the one before: what is sorted by time then
    has an order. Where the system's clock is set back, it goes on by microseconds.

    That holds within one process. After a restart or a failover the time is that of
    the machine which leads then; what came first is told by the log position.
    """

    def __init__(self) -> None:
        self._latest = 0
        self._turn = threading.Lock()

    def now(self) -> int:
        with self._turn:
            self._latest = max(time.time_ns() // 1_000, self._latest + 1)
            return self._latest

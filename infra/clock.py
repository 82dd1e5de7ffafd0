"""The only place that knows what time it is."""

import threading
import time


class SystemClock:
    """A `Clock`. Where the system's clock is set back, it stands still for that long.

    That holds within one process. After a restart or a failover the time is that of
    the machine which leads then; what came first is told by the log position.
    """

    def __init__(self) -> None:
        self._latest = 0
        self._turn = threading.Lock()

    def now(self) -> int:
        with self._turn:
            now = time.time_ns() // 1_000
            if now < self._latest:
                return self._latest
            self._latest = now
            return now

"""The only place that knows what time it is."""

import threading
import time


class SystemClock:
    """A `Clock`. Where the system's clock is set back, it stands still for that long.

    `not_before` carries that over a restart: the time of the newest event in the log.
    """

    def __init__(self, not_before: int = 0) -> None:
        self._latest = not_before
        self._turn = threading.Lock()

    def now(self) -> int:
        with self._turn:
            now = time.time_ns() // 1_000
            if now < self._latest:
                return self._latest
            self._latest = now
            return now

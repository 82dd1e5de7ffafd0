"""The clock, which no other module reads from the system."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from domain.clock_log import STEP_MAX
from domain.events.event import Timestamp
from infra.runtime import clock_steps

#: On Linux the monotonic clock stops while the machine is suspended; elsewhere not.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
#: Returns nanoseconds.
ReadClock: TypeAlias = Callable[[], int]
_read_steady: ReadClock = partial(time.clock_gettime_ns, _STEADY)


class SystemClock:
    """A `WatchedClock` whose every reading is later than the one before.

    Sorting by time then has one order. If the system's clock is set back by at most a
    minute, each reading adds one microsecond until that clock has caught up. Only a
    confirmed step takes the time back. After a restart or a failover, only the log
    position says what came first.
    """

    def __init__(
        self,
        system: ReadClock = time.time_ns,
        steady: ReadClock = _read_steady,
    ) -> None:
        self._system = system
        self._steady = steady
        self._reference = clock_steps.agreed(*self._read())
        self._latest = 0
        self._turn = threading.Lock()

    def now(self) -> Timestamp:
        with self._turn:
            wall, steady = self._system() // 1_000, self._steady() // 1_000
            at = wall
            # Each order asks for the time, so the usual case makes no call.
            if abs(wall - steady - self._reference.offset) > STEP_MAX:
                at = clock_steps.venue_time(self._reference, wall, steady)
            self._latest = max(at, self._latest + 1)
            return self._latest

    def step(self) -> int | None:
        with self._turn:
            # A process that stood still between the two readings sees a step. The
            # second look does not.
            return self._look() and self._look()

    def _read(self) -> tuple[int, int]:
        return self._system() // 1_000, self._steady() // 1_000

    def _look(self) -> int | None:
        wall, steady = self._read()
        ahead = clock_steps.step(self._reference, wall, steady)
        if ahead is None:
            self._reference = clock_steps.followed(self._reference, wall, steady)
        return ahead

    def confirm(self, ahead: int) -> None:
        with self._turn:
            wall, steady = self._read()
            now = clock_steps.step(self._reference, wall, steady)
            if now is not None and abs(now - ahead) <= STEP_MAX:
                self._reference = clock_steps.agreed(wall, steady)
                self._latest = 0

    def not_before(self, newest: Timestamp) -> None:
        with self._turn:
            wall, steady = self._read()
            at = clock_steps.venue_time(self._reference, wall, steady)
            if newest > at + STEP_MAX:
                self._reference = clock_steps.at_least(newest, steady)
            self._latest = max(self._latest, newest)

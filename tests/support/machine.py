"""The two clocks of a machine, which a test moves."""

import time

from infra.runtime.clock import SystemClock


class Machine:
    """A system clock, and a steady clock that nobody can set. They run, unless the test
    names the time `at` which they stand still. Times are in microseconds."""

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self._passed = 0
        self._stepped = 0

    def passes(self, interval: int) -> None:
        """Let time pass; the machine may be suspended meanwhile."""
        self._passed += interval

    def steps(self, ahead: int) -> None:
        """Set the system's clock ahead, or back if the number is negative."""
        self._stepped += ahead

    def system(self) -> int:
        at = time.time_ns() if self._at is None else self._at * 1_000
        return at + (self._passed + self._stepped) * 1_000

    def steady(self) -> int:
        at = time.monotonic_ns() if self._at is None else 0
        return at + self._passed * 1_000

    def clock(self) -> SystemClock:
        """Return the clock of a process that starts now."""
        return SystemClock(self.system, self.steady)

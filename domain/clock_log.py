"""Confirmed steps of the system's clock. Until one is confirmed, no day rolls."""

from typing import ClassVar

from domain.aggregate import Aggregate, Frozen, Outbox
from domain.errors import UnknownClockStep
from domain.events.clock import ClockConfirmed
from domain.events.event import Meta
from domain.ids import Stream

#: The largest step that needs no confirmation, in microseconds.
STEP_MAX = 60_000_000
CLOCK_STREAM = Stream("clock-log")
_SECOND = 1_000_000


class FrozenClockLog(Frozen, tag="clock"):
    """A frozen clock log. The version is its whole state."""


class ClockLog(Aggregate):
    """The steps of clocks that administrators confirmed (rule DAY-04)."""

    __slots__ = ()

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__(Stream("clock-" + name), outbox)

    def confirm(self, ahead: int, *, meta: Meta) -> None:
        """Record that the system's clock is right, which is ahead by microseconds."""
        self.record(ClockConfirmed(meta, ahead))

    def _confirmed(self, event: ClockConfirmed) -> None:
        """Keep no state: the clock that stepped is that of one process."""

    handlers: ClassVar = {ClockConfirmed: _confirmed}
    frozen_type: ClassVar = FrozenClockLog

    def freeze(self) -> FrozenClockLog:
        """Return the version, which is the whole state."""
        return FrozenClockLog(self.stream, self.version)

    def thaw(self, frozen: FrozenClockLog) -> None:
        """Load the version."""
        self.version = frozen.version


def check_step(shown: int, step: int | None) -> None:
    """Check that a step is the one that was shown.

    Raises:
        UnknownClockStep: the clock shows no step, or another one.
    """
    if step is None or abs(step - shown) > STEP_MAX:
        seconds = None if step is None else seconds_of(step)
        raise UnknownClockStep(shown=seconds_of(shown), ahead_seconds=seconds)


def seconds_of(step: int) -> int:
    """Return a step in whole seconds, rounded.

    >>> [seconds_of(step) for step in (1_600_000, -1_400_000)]
    [2, -1]
    """
    return (step + _SECOND // 2) // _SECOND

"""The window in which the writer remembers what is over."""

from collections.abc import Iterable

import msgspec

from domain.errors import InvalidOrder
from domain.events.event import Timestamp
from domain.events.keys import MemoryWindowChanged
from domain.events.register import Recorded

#: One second, in the unit of times.
SECOND = 1_000_000
#: The bounds of a window. Within the shortest age a client retries its requests.
COUNT_MAX_LOWEST, COUNT_MAX_HIGHEST = 1, 10_000_000
AGE_MAX_LOWEST, AGE_MAX_HIGHEST = 60 * SECOND, 366 * 86_400 * SECOND
OWN_MAX_HIGHEST = 10_000


class MemoryWindow(msgspec.Struct, frozen=True, array_like=True):
    """How long the writer remembers a finished order or a key (rule MEMORY-02).

    It remembers the newest `count_max` that are at most `age_max` microseconds old. It
    forgets the newest `own_max` of each owner by age only. The defaults hold until the
    first change; as part of each replay they never change.
    """

    count_max: int = 2_000_000
    age_max: Timestamp = 7 * 86_400 * SECOND
    own_max: int = 1_000

    def after(self, facts: Iterable[Recorded]) -> "MemoryWindow":
        """Return the window after these facts."""
        window = self
        for recorded in facts:
            if isinstance(recorded.event, MemoryWindowChanged):
                window = MemoryWindow.of(recorded.event)
        return window

    @classmethod
    def of(cls, event: MemoryWindowChanged) -> "MemoryWindow":
        """Return the window that a fact names."""
        return cls(event.count_max, event.age_max, event.own_max)

    def check(self) -> None:
        """Check the limits.

        Raises:
            InvalidOrder: a limit is out of bounds.
        """
        _check("count_max", self.count_max, COUNT_MAX_LOWEST, COUNT_MAX_HIGHEST)
        _check("age_max", self.age_max, AGE_MAX_LOWEST, AGE_MAX_HIGHEST)
        _check("own_max", self.own_max, 0, OWN_MAX_HIGHEST)


def _check(field: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InvalidOrder(f"{field} must be from {lowest} to {highest}", field=field)

"""New identifiers: UUIDs as text, which sort by the time of their creation.

The layout is version 7 of RFC 9562: milliseconds, a count within the millisecond, 60
random bits. Keys in order are cheap to index, and a person reads such a log more
easily. Within one process every identifier is greater than the one before.
"""

import os
import threading
from typing import Any
from weakref import WeakSet

from commands.ports import Clock

_COUNT_MAX = 0xFFF
_RANDOM_BYTES = 7_500
#: Hexadecimal digits of randomness in one identifier.
_DIGITS = 15


class Identifiers:
    """A source of identifiers for any thread, about a million a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._milliseconds = 0
        self._count = 0
        self._prefix = ""
        self._random = ""
        self._used = 0
        _living.add(self)

    def new(self) -> Any:
        """Return a new identifier. Its type fits every kind of id."""
        with self._turn:
            milliseconds = self._clock.now() // 1_000
            if milliseconds > self._milliseconds:
                self._begin(milliseconds)
            elif self._count == _COUNT_MAX:
                # After 4,096 in one millisecond, borrow from the next.
                self._begin(self._milliseconds + 1)
            else:
                self._count += 1
            start = self._used
            if start == len(self._random):
                self._random = os.urandom(_RANDOM_BYTES).hex()
                start = 0
            self._used = start + _DIGITS
            middle = self._random[start : start + 3]
            tail = self._random[start + 3 : start + _DIGITS]
            return f"{self._prefix}{self._count:03x}-8{middle}-{tail}"

    def forget_randomness(self) -> None:
        """Drop the bits that the parent of a forked process drew, and uses too."""
        self._turn = threading.Lock()
        self._random = ""
        self._used = 0

    def _begin(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds
        self._count = 0
        self._prefix = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"


_living: WeakSet[Identifiers] = WeakSet()


def _after_fork() -> None:
    for identifiers in list(_living):
        identifiers.forget_randomness()


os.register_at_fork(after_in_child=_after_fork)

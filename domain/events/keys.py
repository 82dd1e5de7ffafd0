"""Facts of the stream `keys-log`: idempotency keys that no other fact carries.

A change of the window in which the writer remembers keys and finished orders is a fact
of this stream too.
"""

from typing import TypeAlias

from domain.events.event import Event, Timestamp


class KeyUsed(Event, frozen=True, tag="keys.used"):
    """A command with an `Idempotency-Key` was carried out, and no other fact says so.

    The command changed nothing, or it came to these `parts`, each with its own key.
    """

    parts: tuple[str, ...] = ()


class MemoryWindowChanged(Event, frozen=True, tag="keys.window-changed"):
    """The venue changed how long the writer remembers finished orders and keys.

    `age_max` is in microseconds.
    """

    count_max: int
    age_max: Timestamp
    own_max: int


KeyEvent: TypeAlias = KeyUsed | MemoryWindowChanged

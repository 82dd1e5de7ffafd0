"""The base of every aggregate: it records facts, applies them, freezes and thaws.

A decision checks, then records; an application only assigns and never refuses. A table
maps each event type to a method, because one dictionary look-up is several times faster
than matching the types in turn.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, TypeVar

import msgspec

from domain.events.event import Event
from domain.events.register import AnyEvent, Recorded
from domain.ids import Stream

E = TypeVar("E", bound=AnyEvent)
#: The facts of the current command, in log order.
Outbox: TypeAlias = list[Recorded]


class Frozen(msgspec.Struct, array_like=True, gc=False):
    """An aggregate as plain data. Subclasses add the state that facts built.

    The tag of a subclass names the kind; a snapshot of an older form has other tags.
    """

    stream: Stream
    version: int


class Aggregate(ABC):
    """Objects that stay consistent together: one stream of events, one version.

    `version` counts the applied events, 0 before the first. New events go to `outbox`,
    which the aggregates of one writer share.
    """

    __slots__ = ("outbox", "stream", "version")

    handlers: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {}
    frozen_type: ClassVar[type[Frozen]]

    def __init__(self, stream: Stream, outbox: Outbox) -> None:
        self.stream = stream
        self.version = 0
        self.outbox = outbox

    def record(self, event: E) -> E:
        """Append a new fact to the outbox, apply it and return it."""
        self.version = version = self.version + 1
        self.outbox.append(Recorded(self.stream, version, event))
        self.handlers[type(event)](self, event)
        return event

    def replay(self, event: AnyEvent) -> None:
        """Apply a fact from the log again, without recording it."""
        self.version += 1
        self.handlers[type(event)](self, event)

    @abstractmethod
    def freeze(self) -> Frozen:
        """Return the whole state; equal states encode to equal bytes."""
        ...

    @abstractmethod
    def thaw(self, frozen: Any) -> None:
        """Load a state of `frozen_type` into this aggregate, which must be empty."""
        ...

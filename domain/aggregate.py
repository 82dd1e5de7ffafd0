"""What every aggregate does: record facts, apply them, freeze and thaw.

A decision checks, then records; an application only assigns and never refuses. Applying
goes through a literal table from event type to method, because one look-up in a
dictionary is several times faster than matching the types one after another.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, TypeVar

import msgspec

from domain.events.event import Event
from domain.events.register import AnyEvent, Recorded
from domain.ids import Stream

E = TypeVar("E", bound=AnyEvent)
#: The facts of the command that is being carried out, in the order of the log.
Outbox: TypeAlias = list[Recorded]


class Frozen(msgspec.Struct, array_like=True, gc=False):
    """An aggregate as plain data. Subclasses add what the facts gave it.

    The tag of a subclass names the kind; a snapshot of an older form has other tags.
    """

    stream: Stream
    version: int


class Aggregate(ABC):
    """Objects kept consistent together: one stream of events, one version.

    `version` is that of the last event applied, 0 before the first. New events go to
    `outbox`, which the aggregates of one writer share.
    """

    __slots__ = ("outbox", "stream", "version")

    handlers: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {}
    frozen_type: ClassVar[type[Frozen]]

    def __init__(self, stream: Stream, outbox: Outbox) -> None:
        self.stream = stream
        self.version = 0
        self.outbox = outbox

    def record(self, event: E) -> E:
        """Add a new fact, let it take effect, and return it."""
        self.version = version = self.version + 1
        self.outbox.append(Recorded(self.stream, version, event))
        self.handlers[type(event)](self, event)
        return event

    def replay(self, event: AnyEvent) -> None:
        """Let a fact from the log take effect again."""
        self.version += 1
        self.handlers[type(event)](self, event)

    @abstractmethod
    def freeze(self) -> Frozen:
        """Return the whole state; equal states give equal bytes, however they came."""
        ...

    @abstractmethod
    def thaw(self, frozen: Any) -> None:
        """Take over a state of `frozen_type`, as an aggregate that is still empty."""
        ...

"""Idempotency keys of commands that no other fact records."""

from typing import ClassVar

from domain.aggregate import Aggregate, Frozen, Outbox
from domain.events.event import Meta
from domain.events.keys import KeyUsed
from domain.ids import Stream


class FrozenKeyLog(Frozen, tag="keys"):
    """A frozen key log. The version is its whole state."""


class KeyLog(Aggregate):
    """The log of keys whose commands changed nothing or have parts (rule COMMAND-02).

    The key is in the meta of the fact.
    """

    __slots__ = ()

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__(Stream("keys-" + name), outbox)

    def use(self, parts: tuple[str, ...] = (), *, meta: Meta) -> None:
        """Record the key of `meta` and the names of the command's parts."""
        self.record(KeyUsed(meta, parts))

    def _used(self, event: KeyUsed) -> None:
        """Keep no state: the writer's register of keys answers repeats."""

    handlers: ClassVar = {KeyUsed: _used}
    frozen_type: ClassVar = FrozenKeyLog

    def freeze(self) -> FrozenKeyLog:
        """Return the version, which is the whole state."""
        return FrozenKeyLog(self.stream, self.version)

    def thaw(self, frozen: FrozenKeyLog) -> None:
        """Load the version."""
        self.version = frozen.version

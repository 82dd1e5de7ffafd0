"""Idempotency keys of commands that no other fact tells of."""

from typing import ClassVar

from domain.aggregate import Aggregate, Frozen, Outbox
from domain.events.event import Meta
from domain.events.keys import KeyUsed


class FrozenKeyLog(Frozen, tag="keys"):
    """Its version is all that it knows."""


class KeyLog(Aggregate):
    """What makes a command once that changed nothing, or that comes in parts (rule
    COMMAND-02). The key itself stands in the command id."""

    __slots__ = ()

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__("keys-" + name, outbox)

    def use(self, parts: tuple[str, ...] = (), *, meta: Meta) -> None:
        self.record(KeyUsed(meta, parts))

    def _used(self, event: KeyUsed) -> None:
        """Nothing is decided here: receipts are looked up by the command id."""

    handlers: ClassVar = {KeyUsed: _used}
    frozen_type: ClassVar = FrozenKeyLog

    def freeze(self) -> FrozenKeyLog:
        return FrozenKeyLog(self.stream, self.version)

    def thaw(self, frozen: FrozenKeyLog) -> None:
        self.version = frozen.version

"""Idempotency keys of commands that no other fact tells of."""

from typing import ClassVar

from domain.aggregate import Aggregate, Outbox
from domain.events.event import Meta
from domain.events.keys import KeyUsed


class KeyLog(Aggregate):
    """What makes a command once that changed nothing, or that comes in parts (rule
    COMMAND-02). The key itself stands in the command id."""

    __slots__ = ()

    def __init__(self, outbox: Outbox) -> None:
        super().__init__("keys-log", outbox)

    def use(self, parts: tuple[str, ...] = (), *, meta: Meta) -> None:
        self.record(KeyUsed(meta, parts))

    def _used(self, event: KeyUsed) -> None:
        """Nothing is decided here: receipts are looked up by the command id."""

    handlers: ClassVar = {KeyUsed: _used}

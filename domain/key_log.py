"""Idempotency keys of commands that no other fact records, and the memory window."""

from typing import ClassVar

import msgspec

from domain.aggregate import Aggregate, Frozen, Outbox
from domain.events.event import Meta
from domain.events.keys import KeyUsed, MemoryWindowChanged
from domain.ids import Stream
from domain.memory_window import MemoryWindow


class FrozenKeyLog(Frozen, tag="keys"):
    """A frozen key log. The register of the writer holds the keys themselves."""

    window: MemoryWindow


class KeyLog(Aggregate):
    """The log of keys whose commands changed nothing or have parts (rule COMMAND-02).

    The key is in the meta of the fact. `window` is the memory window of the writer.
    """

    __slots__ = ("window",)

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__(Stream("keys-" + name), outbox)
        self.window = MemoryWindow()

    def change_window(self, window: MemoryWindow, *, meta: Meta) -> None:
        """Change the memory window (rule MEMORY-04).

        Raises:
            InvalidOrder: a limit is out of bounds.
        """
        window.check()
        if window != self.window:
            count_max, age_max, own_max = msgspec.structs.astuple(window)
            self.record(MemoryWindowChanged(meta, count_max, age_max, own_max))

    def use(self, parts: tuple[str, ...] = (), *, meta: Meta) -> None:
        """Record the key of `meta` and the names of the command's parts."""
        self.record(KeyUsed(meta, parts))

    def _used(self, event: KeyUsed) -> None:
        """Keep no state: the writer's register of keys answers repeats."""

    def _window_changed(self, event: MemoryWindowChanged) -> None:
        self.window = MemoryWindow.of(event)

    handlers: ClassVar = {KeyUsed: _used, MemoryWindowChanged: _window_changed}
    frozen_type: ClassVar = FrozenKeyLog

    def freeze(self) -> FrozenKeyLog:
        """Return the version and the window, which are the whole state."""
        return FrozenKeyLog(self.stream, self.version, self.window)

    def thaw(self, frozen: FrozenKeyLog) -> None:
        """Load the version and the window."""
        self.version = frozen.version
        self.window = frozen.window

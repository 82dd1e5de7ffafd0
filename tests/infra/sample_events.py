"""Events for tests of the log in which the content does not matter."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.events.event import Meta
from domain.events.register import Recorded
from domain.events.wallet import FundsHeld

AT = 1_763_930_000_000_000
STREAM = "wallet-6a1c"


@dataclass
class SampleStream:
    """A stream that grows: `commands(2, 3)` adds two events and then three."""

    name: str = STREAM
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def events(self, count: int = 1, *, command: str | None = None) -> list[Recorded]:
        """Return the next events, all of one command."""
        numbers = list(itertools.islice(self.versions, count))
        return [
            self.event(version, command=command or f"{self.name}#{numbers[0]}")
            for version in numbers
        ]

    def commands(self, *counts: int) -> list[Recorded]:
        return [event for count in counts for event in self.events(count)]

    def event(self, version: int, *, command: str) -> Recorded:
        meta = Meta(at=AT + version, actor="6a1c", command_id=command)
        held = FundsHeld(meta, hold_id=f"o-{version}", amount=version, per_share=1)
        return Recorded(self.name, version, held)

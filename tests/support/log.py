"""A log in memory that a test fills with facts."""

from collections.abc import Sequence

from domain.events.register import Fact, Recorded
from tests.support.memory import MemoryLogReader


def extend(log: MemoryLogReader, facts: Sequence[Fact]) -> None:
    """Add facts, which must directly follow those of the log."""
    first = log.extend([Recorded(f.stream, f.version, f.event) for f in facts])
    assert first == facts[0].position


def log_of(facts: Sequence[Fact]) -> MemoryLogReader:
    log = MemoryLogReader()
    extend(log, facts)
    return log

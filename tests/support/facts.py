"""Facts in tests: numbered, changed, cut between commands, and put in a log."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from commands.ports import Segment
from domain.events.register import AnyEvent, Fact, Recorded
from tests.support.memory import MemoryLogReader


def located(recorded: Iterable[Recorded], *, first: int = 1) -> list[Fact]:
    """Return what was recorded as facts of the log, from a position on."""
    return [
        Fact(position, each.stream, each.version, each.event)
        for position, each in enumerate(recorded, start=first)
    ]


def recorded(facts: Iterable[Fact]) -> list[Recorded]:
    """Return what an append would be given to store these facts."""
    return [Recorded(fact.stream, fact.version, fact.event) for fact in facts]


def renumbered(facts: Iterable[Fact]) -> list[Fact]:
    """Return the same facts without a gap, as a careful forger would leave them."""
    versions: dict[str, int] = {}
    numbered: list[Fact] = []
    for position, fact in enumerate(facts, start=1):
        version = versions[fact.stream] = versions.get(fact.stream, 0) + 1
        numbered.append(Fact(position, fact.stream, version, fact.event))
    return numbered


def with_event(fact: Fact, event: AnyEvent) -> Fact:
    """Return a fact that has the place of another one."""
    return Fact(fact.position, fact.stream, fact.version, event)


def of_command(command_id: str, fact: Fact) -> Fact:
    """Return the same fact as one of another command."""
    meta = msgspec.structs.replace(fact.event.meta, command_id=command_id)
    return with_event(fact, msgspec.structs.replace(fact.event, meta=meta))


def whole_commands(facts: Sequence[Fact], count: int) -> int:
    """Return how many facts at least `count` are, up to the end of a command."""
    while 0 < count < len(facts) and _same_command(facts[count - 1], facts[count]):
        count += 1
    return count


def _same_command(one: Fact, other: Fact) -> bool:
    return one.event.meta.command_id == other.event.meta.command_id


def batches(facts: Sequence[Fact], sizes: Iterable[int]) -> Iterator[list[Fact]]:
    """Cut a log into batches of at least these sizes, never within a command."""
    rest = list(facts)
    for size in sizes:
        if not rest:
            return
        cut = whole_commands(rest, max(size, 1))
        yield rest[:cut]
        rest = rest[cut:]
    if rest:
        yield rest


def segment(facts: Sequence[Fact]) -> Segment:
    """Return facts of a log without gaps, as a reader returns them."""
    return Segment(facts[0].position - 1, facts)


def extend(log: MemoryLogReader, facts: Sequence[Fact]) -> None:
    """Add facts, which must be the next ones."""
    assert log.extend(recorded(facts)) == facts[0].position


def log_of(facts: Sequence[Fact]) -> MemoryLogReader:
    """Return a log in memory that holds these facts."""
    log = MemoryLogReader()
    extend(log, facts)
    return log

"""docs/rules/commands.md: the state comes back from the log, whatever was saved."""

import pytest

from commands.exchange import Exchange
from commands.frozen import dump
from commands.ports import LogLost
from commands.recovery import recover
from domain.events.register import Fact, Recorded
from tests.support.flow import Flow
from tests.support.log import extend, log_of
from tests.support.memory import MemoryLogReader, MemorySnapshotStore

FACTS = Flow().run(300)


def of_whole_commands(count: int) -> list[Fact]:
    """The first facts, so many at least, up to the end of a command."""
    while FACTS[count].event.meta.command_id == FACTS[count - 1].event.meta.command_id:
        count += 1
    return FACTS[:count]


KEPT = of_whole_commands(len(FACTS) // 2)
LOST = FACTS[len(KEPT) :]


def state_of(log: MemoryLogReader) -> list[bytes]:
    """What the log gives by itself."""
    return list(dump(recover(log)))


def saved_at(position: int, *chunks: bytes) -> MemorySnapshotStore:
    snapshots = MemorySnapshotStore()
    snapshots.save(position, iter(chunks))
    return snapshots


def saved_of_all() -> MemorySnapshotStore:
    return saved_at(len(FACTS), *state_of(log_of(FACTS)))


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_of_facts_that_the_log_lost_is_passed_over():
    log = log_of(KEPT)

    recovered = recover(log, saved_of_all())

    assert recovered.position == len(KEPT)
    assert list(dump(recovered)) == state_of(log)


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_is_passed_over_too_when_the_log_went_on_without_its_facts():
    log = log_of(KEPT)
    # An append that is refused takes its log positions with it.
    with pytest.raises(LogLost):
        log.extend([Recorded(f.stream, f.version, f.event) for f in FACTS[: len(LOST)]])
    again = [
        Fact(fact.position + len(LOST), fact.stream, fact.version, fact.event)
        for fact in LOST
    ]
    extend(log, again)

    recovered = recover(log, saved_of_all())

    assert recovered.position == log.head() > len(FACTS)
    assert list(dump(recovered)) == state_of(log)


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_from_before_the_first_fact_is_of_every_log():
    log = log_of(FACTS)

    recovered = recover(log, saved_at(0, *dump(Exchange())))

    assert list(dump(recovered)) == state_of(log)


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b"no head"],
        [b"\x91\x05", b"\x91\xa7unknown"],
        [*list(dump(Exchange()))[:1], b"\x92\xa6wallet\x05"],
        # As a43e954 froze them: a head, and the aggregates that are always there.
        [b"\x91\x05", b"\x94\xaeFrozenSecurity\x00\x00\x00"],
        [b"\x91\x05", b"\x92\xaaFrozenKeys\x00"],
    ],
)
def test_a_snapshot_of_another_form_is_passed_over(chunks: list[bytes]):
    log = log_of(FACTS)

    recovered = recover(log, saved_at(len(FACTS), *chunks))

    assert list(dump(recovered)) == state_of(log)

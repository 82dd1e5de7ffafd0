"""docs/rules/commands.md: recovery restores the state of the log, with any snapshot."""

import pytest

from commands.ports import LogLost
from commands.state.exchange import Exchange
from commands.state.frozen import dump
from commands.writer.recovery import newest_time, recover
from domain.ids import LOG_START
from tests.support.facts import extend, located, log_of, recorded, whole_commands
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader, MemorySnapshotStore

FACTS = Flow().run(300)


FIRST_HALF = FACTS[: whole_commands(FACTS, len(FACTS) // 2)]
SECOND_HALF = FACTS[len(FIRST_HALF) :]


def state_of(log: MemoryLogReader) -> list[bytes]:
    """Return the state that the log alone gives."""
    return list(dump(recover(log)))


def saved_at(position: int, *chunks: bytes) -> MemorySnapshotStore:
    snapshots = MemorySnapshotStore()
    snapshots.save(position, iter(chunks))
    return snapshots


def saved_of_all() -> MemorySnapshotStore:
    return saved_at(len(FACTS), *state_of(log_of(FACTS)))


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_of_facts_that_the_log_lost_is_skipped():
    log = log_of(FIRST_HALF)

    recovered = recover(log, saved_of_all())

    assert recovered.position == len(FIRST_HALF)
    assert list(dump(recovered)) == state_of(log)


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_of_lost_facts_is_skipped_after_the_log_has_grown():
    log = log_of(FIRST_HALF)
    # A refused append leaves a gap: its log positions are never used.
    with pytest.raises(LogLost):
        log.extend(recorded(FACTS[: len(SECOND_HALF)]))
    first = SECOND_HALF[0].position + len(SECOND_HALF)
    extend(log, located(recorded(SECOND_HALF), first=first))

    recovered = recover(log, saved_of_all())

    assert recovered.position == log.head() > len(FACTS)
    assert list(dump(recovered)) == state_of(log)


@pytest.mark.rule("COMMAND-08")
def test_a_snapshot_before_the_first_fact_fits_every_log():
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
def test_a_snapshot_of_another_form_is_skipped(chunks: list[bytes]):
    log = log_of(FACTS)

    recovered = recover(log, saved_at(len(FACTS), *chunks))

    assert list(dump(recovered)) == state_of(log)


def test_an_empty_log_has_no_newest_time():
    assert newest_time(MemoryLogReader(), LOG_START) == 0

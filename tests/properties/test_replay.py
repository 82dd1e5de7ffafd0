"""Living, replaying, and going on from a snapshot all come to the same state."""

import pytest
from hypothesis import given, settings

from commands.state import frozen
from commands.state.exchange import Exchange, locate
from domain.ids import LogPosition
from tests.support.both import Real
from tests.support.facts import whole_commands
from tests.support.operations import OPERATIONS, Operation, from_seed

BOUNDED = settings(max_examples=60)


def prove_equal(one: Exchange, other: Exchange) -> None:
    """Every aggregate, the order index, the receipts and the position are equal."""
    assert hashes(one) == hashes(other)
    assert list(frozen.dump(one)) == list(frozen.dump(other))


def hashes(exchange: Exchange) -> dict[str, str]:
    return {name: frozen.state_hash(each) for name, each in exchange.streams.items()}


@pytest.mark.rule("COMMAND-08")
@BOUNDED
@given(OPERATIONS)
def test_replaying_the_facts_equals_living_them(operations: list[Operation]):
    real = Real()
    for operation in operations:
        real.tell(operation)

    replayed = Exchange()
    replayed.replay(real.facts)

    assert hashes(replayed) == hashes(real.exchange)
    assert replayed.outbox == []


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize("seed", range(40, 44))
@pytest.mark.parametrize("block", [1, 17, 100_000])
def test_replaying_in_blocks_of_any_size_equals_living(seed: int, block: int):
    real = living(seed)

    replayed = Exchange()
    facts = real.facts
    for start in range(0, len(facts), block):
        replayed.replay(facts[start : start + block])

    prove_equal(replayed, real.exchange)


def living(seed: int, operations: int = 600) -> Real:
    """Return an exchange that lived, and committed every command by itself."""
    real = Real()
    funded = Exchange()
    funded.replay(real.facts)
    real.product.venue.exchange = funded
    for operation in from_seed(seed, operations):
        before = len(real.facts)
        real.tell(operation)
        commit(real, before)
    return real


def commit(real: Real, before: int) -> None:
    """Give the indexes the log positions of the facts since `before`."""
    locate(real.exchange.take_unlocated(), first=before + 1)
    real.exchange.position = LogPosition(len(real.facts))


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize("seed", range(50, 54))
def test_loading_what_was_dumped_gives_the_same_state(seed: int):
    real = living(seed)

    loaded = frozen.load(frozen.dump(real.exchange))

    prove_equal(loaded, real.exchange)


@pytest.mark.rule("COMMAND-08")
@BOUNDED
@given(before=OPERATIONS, after=OPERATIONS)
def test_going_on_from_a_snapshot_equals_going_on_without(
    before: list[Operation], after: list[Operation]
):
    real, other = Real(), Real()
    for operation in before:
        assert other.tell(operation) == real.tell(operation)
    other.product.restart()

    for operation in after:
        assert other.tell(operation) == real.tell(operation)

    assert hashes(other.exchange) == hashes(real.exchange)


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize("seed", range(60, 64))
def test_a_snapshot_and_the_log_after_it_equal_the_whole_log(seed: int):
    real = living(seed)
    facts = real.facts
    # The log gives whole commands, so a snapshot is never of half of one.
    half = whole_commands(facts, len(facts) // 2)
    first = Exchange()
    first.replay(facts[:half])

    resumed = frozen.load(frozen.dump(first))
    resumed.replay(facts[half:])

    prove_equal(resumed, real.exchange)


@pytest.mark.rule("COMMAND-01")
@BOUNDED
@given(OPERATIONS)
def test_a_refused_command_changes_nothing(operations: list[Operation]):
    real = Real()
    for operation in operations:
        before = list(frozen.dump(real.exchange))
        recorded = len(real.facts)
        real.tell(operation)
        if real.refused:
            assert list(frozen.dump(real.exchange)) == before
            assert len(real.facts) == recorded

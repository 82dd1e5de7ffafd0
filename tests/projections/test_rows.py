"""Rows and books are kept while they are used, and read again when they were not."""

import msgspec
import pytest

from domain.events.register import Fact
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore
from tests.support.views import batches, dump, live_host, segment

FACTS = Flow(23, accounts=12, symbols=6).run(500)


@pytest.mark.rule("VIEW-02")
@pytest.mark.parametrize("size", [1, 20, 200])
def test_rows_that_were_forgotten_are_read_again(
    size: int, monkeypatch: pytest.MonkeyPatch
):
    expected = MemoryStore()
    live_host(expected).apply(segment(FACTS))
    monkeypatch.setattr("projections.projection.ROWS_KEPT", 2)
    monkeypatch.setattr("projections.market.book_levels.BOOKS_KEPT", 2)
    store = MemoryStore()
    host = live_host(store)

    for batch in batches(FACTS, [size] * len(FACTS)):
        host.apply(segment(batch))

    assert dump(store) == dump(expected)


@pytest.mark.rule("VIEW-02")
def test_an_order_may_trade_in_another_command_than_the_one_that_brought_it(
    monkeypatch: pytest.MonkeyPatch,
):
    facts = [alone(fact) for fact in FACTS]
    expected = MemoryStore()
    live_host(expected).apply(segment(facts))
    monkeypatch.setattr("projections.projection.ROWS_KEPT", 0)
    store = MemoryStore()
    host = live_host(store)

    for fact in facts:
        host.apply(segment([fact]))

    assert dump(store) == dump(expected)


def alone(fact: Fact) -> Fact:
    """The same fact as the only one of its command."""
    meta = msgspec.structs.replace(fact.event.meta, command_id=f"cause-{fact.position}")
    event = msgspec.structs.replace(fact.event, meta=meta)
    return Fact(fact.position, fact.stream, fact.version, event)

"""Caches of rows and books keep recent ones and read evicted ones again."""

import pytest

from tests.support.facts import batches, of_command, segment
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore
from tests.support.views import dump, live_host

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
    facts = [of_command(f"cause-{fact.position}", fact) for fact in FACTS]
    expected = MemoryStore()
    live_host(expected).apply(segment(facts))
    monkeypatch.setattr("projections.projection.ROWS_KEPT", 0)
    store = MemoryStore()
    host = live_host(store)

    for fact in facts:
        host.apply(segment([fact]))

    assert dump(store) == dump(expected)

"""Books, tapes and instruments, as every reader sees them."""

import pytest

from domain.money import dollars
from domain.vocabulary import Side
from projections.market.depth import book
from projections.market.instruments import all_instruments, instrument
from tests.support.facts import segment
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.story import ACME, Story
from tests.support.views import live_host, trades


async def ladder(story: Story, levels: int = 10) -> tuple[list[str], list[str]]:
    """Return bids and asks as "dollars quantity orders", best first."""
    shown = await book(story.views, ACME, levels=levels)
    assert shown is not None
    sides = [
        [f"{each.price // 10_000} {each.quantity} {each.orders}" for each in side]
        for side in (shown.bids, shown.asks)
    ]
    return sides[0], sides[1]


@pytest.mark.rule("VIEW-14")
async def test_depth_is_by_level_best_first():
    story = Story()
    story.buy("ada", 10, at="99")
    story.buy("ben", 5, at="99")
    story.buy("ben", 7, at="98")
    story.sell("ada", 3, at="101")

    assert await ladder(story) == (["99 15 2", "98 7 1"], ["101 3 1"])
    assert await ladder(story, levels=1) == (["99 15 2"], ["101 3 1"])


@pytest.mark.rule("VIEW-14")
async def test_depth_follows_trades_cancels_and_replacements():
    story = Story()
    story.buy("ada", 10, at="99")
    second = story.buy("ben", 5, at="99")
    story.sell("cid", 12, at="99")
    assert await ladder(story) == (["99 3 1"], [])

    third = story.replace(second, quantity=9, at="98")
    assert await ladder(story) == (["98 7 1"], [])

    story.cancel(third)
    assert await ladder(story) == ([], [])


@pytest.mark.rule("VIEW-14")
async def test_depth_tells_where_in_the_market_it_stands():
    story = Story()
    story.buy("ada", 10, at="99")
    story.wait()
    story.halt()

    shown = await book(story.views, ACME)

    assert shown is not None
    assert (shown.sequence, shown.at) == (3, story.now)
    assert shown.log_position == story.facts[-1].position
    assert await book(story.views, "NONE") is None


@pytest.mark.rule("VIEW-15")
async def test_the_tape_is_read_from_either_end_and_in_parts():
    story = Story()
    for quantity in (1, 2, 3, 4):
        story.sell("ada", quantity, at="100")
        story.buy("ben", quantity, at="100")

    newest = await trades(story.views, ACME, limit=3)
    older = await trades(story.views, ACME, until=newest[-1].log_position)
    later = await trades(
        story.views, ACME, after=older[0].log_position, newest_first=False
    )

    assert [(each.trade_id, each.quantity) for each in newest] == [
        (4, 4),
        (3, 3),
        (2, 2),
    ]
    assert [each.trade_id for each in older] == [1]
    assert [each.trade_id for each in later] == [2, 3, 4]
    assert newest[0].taker_side is Side.BUY
    assert (newest[0].price, newest[0].at) == (dollars(100), story.now)


@pytest.mark.rule("VIEW-15")
async def test_the_tape_keeps_the_newest_trades_wherever_the_batches_were_cut(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("projections.market.tape.TRADES_KEPT", 5)
    story = Story()
    for _ in range(9):
        story.sell("ada", 1, at="100")
        story.buy("ben", 1, at="100")
    at_once = MemoryStore()
    live_host(at_once).apply(segment(story.facts))

    kept = await trades(story.views, ACME)

    assert [each.trade_id for each in kept] == [9, 8, 7, 6, 5]
    assert await trades(MemoryViews(at_once), ACME) == kept


@pytest.fixture
def listed() -> Story:
    """Two instruments, listed in reverse order of their symbols."""
    story = Story()
    for symbol, name in (("ZETA", "Zeta Works"), ("BRK.B", "Acme Holdings")):
        story.list_asset(symbol, name=name)
    return story


@pytest.mark.rule("VIEW-18")
@pytest.mark.parametrize(
    ("q", "symbols"),
    [
        ("", ["ACME", "BRK.B", "ZETA"]),
        ("acme", ["ACME", "BRK.B"]),
        ("k.b", ["BRK.B"]),
        ("WORKS", ["ZETA"]),
        ("nothing", []),
    ],
)
async def test_instruments_are_searched_by_part_of_symbol_or_name(
    listed: Story, q: str, symbols: list[str]
):
    found = await all_instruments(listed.views, q=q)

    assert [each.symbol for each in found] == symbols


@pytest.mark.rule("VIEW-18")
async def test_a_halt_is_shown_until_trading_resumes(listed: Story):
    listed.halt()

    shown = await instrument(listed.views, ACME)
    assert shown is not None
    assert (shown.halted, shown.halt_reason) == (True, "news")
    halted = await all_instruments(listed.views, halted=True)
    assert [each.symbol for each in halted] == [ACME]

    listed.resume()
    shown = await instrument(listed.views, ACME)
    assert shown is not None
    assert (shown.halted, shown.halt_reason) == (False, "")


@pytest.mark.rule("VIEW-18")
async def test_an_instrument_is_found_by_its_asset_id(listed: Story):
    found = await instrument(listed.views, "asset-BRK.B")

    assert found is not None
    assert found.symbol == "BRK.B"
    assert await instrument(listed.views, "unknown") is None

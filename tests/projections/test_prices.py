"""The published price, the session's figures, the series, and the messages."""

import json
from fractions import Fraction

import pytest

from commands.messages import ChangeListing, ListingChanges
from domain.events.market import DayRolled, TradeExecuted
from domain.ids import Symbol, market_stream
from domain.money import NO_SHARES, Price, Quantity, dollars
from domain.vocabulary import PriceBasis
from projections.market.price_queries import price, prices
from projections.market.price_rows import PriceRow
from tests.support.facts import segment
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.story import ACME, Story
from tests.support.views import live_host, price_history


async def shown(story: Story) -> PriceRow:
    """Return the price row of ACME."""
    row = await price(story.views, ACME)
    assert row is not None
    return row


@pytest.mark.rule("PRICE-01")
async def test_without_book_and_trades_the_price_is_the_reference():
    row = await shown(Story())

    assert (row.price, row.basis) == (dollars(100), PriceBasis.REFERENCE)
    assert (row.last, row.bid, row.ask, row.mid, row.vwap) == (None,) * 5


@pytest.mark.rule("PRICE-01")
async def test_without_two_sides_the_price_is_the_last_trade():
    story = Story()
    story.sell("ada", 10, at="101")
    story.buy("ben", 4, at="101")
    story.buy("ben", 6, at="101")
    story.buy("ben", 5, at="99")

    row = await shown(story)

    assert (row.price, row.basis) == (dollars(101), PriceBasis.LAST)
    assert (row.bid, row.ask, row.bid_size, row.ask_size) == (dollars(99), None, 5, 0)


@pytest.mark.rule("PRICE-01")
async def test_a_two_sided_book_gives_the_microprice_of_five_levels():
    story = Story()
    for level in range(7):
        story.buy("ada", 10 + level, at=f"{100 - level}")
        story.sell("ben", 20 + level, at=f"{101 + level}")

    row = await shown(story)

    bids, asks = sum(10 + n for n in range(5)), sum(20 + n for n in range(5))
    exact = Fraction(dollars(100) * asks + dollars(101) * bids, bids + asks)
    assert row.basis is PriceBasis.MICROPRICE
    assert row.price == round(exact)
    assert (row.bid, row.ask) == (dollars(100), dollars(101))
    assert row.mid == dollars("100.5")
    assert (row.bid_size, row.ask_size) == (10, 20)


@pytest.mark.rule("PRICE-01")
async def test_an_edited_reference_price_is_published_while_nothing_else_is():
    story = Story()
    story.tell(
        ChangeListing(story.meta(), ACME, ListingChanges(reference_price=dollars(50)))
    )

    assert (await shown(story)).price == dollars(50)


@pytest.mark.rule("PRICE-02")
async def test_the_session_counts_its_trades_and_a_day_roll_begins_another():
    story = Story()
    for quantity, at in ((10, "100"), (20, "103"), (30, "98"), (40, "101")):
        story.sell("ada", quantity, at=at)
        story.buy("ben", quantity, at=at)

    row = await shown(story)

    assert [row.open, row.high, row.low, row.close] == [
        dollars(n) for n in (100, 103, 98, 101)
    ]
    assert (row.volume, row.trades, row.last) == (100, 4, dollars(101))
    assert row.vwap == dollars("100.4")
    assert (row.previous_close, row.change, row.change_percent) == (None, None, None)

    story.roll("2026-01-02")
    row = await shown(story)

    assert (row.open, row.high, row.low, row.close) == (None,) * 4
    assert (row.volume, row.trades, row.vwap) == (0, 0, None)
    assert (row.previous_close, row.last) == (dollars(101), dollars(101))
    assert row.session_date == "2026-01-02"


@pytest.mark.rule("PRICE-02")
@pytest.mark.parametrize(
    ("second", "change", "percent"),
    [("110", "10", 100_000), ("97", "-3", -30_000), ("100", "0", 0)],
)
async def test_change_is_against_the_previous_close(
    second: str, change: str, percent: int
):
    story = Story()
    story.sell("ada", 1, at="100")
    story.buy("ben", 1, at="100")
    story.roll("2026-01-02")
    story.sell("ada", 1, at=second)
    story.buy("ben", 1, at=second)

    row = await shown(story)

    assert row.change == dollars(change)
    assert row.change_percent == percent


@pytest.mark.rule("PRICE-03")
async def test_the_series_has_the_price_at_the_end_of_each_second_with_a_change():
    story = Story()
    story.present("ada")
    story.present("ben")
    story.wait(5)
    story.sell("ada", 1, at="100")
    story.buy("ben", 1, at="100")
    story.sell("ada", 1, at="101")
    story.buy("ben", 1, at="101")
    story.wait(3)
    story.sell("ada", 1, at="102")
    story.buy("ben", 1, at="102")

    points = await price_history(story.views, ACME)

    start = points[0].second
    assert [each.second - start for each in points] == [0, 5, 8]
    assert [each.price for each in points] == [dollars(n) for n in (100, 101, 102)]
    assert [each.volume for each in points] == [0, 2, 3]


@pytest.mark.rule("PRICE-03")
async def test_the_series_is_asked_for_between_two_times():
    story = Story()
    for _ in range(6):
        story.wait(1)
        story.buy("ada", 1, at="50")

    middle = story.now - 3_000_000
    points = await price_history(
        story.views, ACME, after=middle - 1_000_000, until=story.now
    )
    newest = await price_history(story.views, ACME, newest_first=True, limit=2)

    assert [each.second * 1_000_000 for each in points] == [
        middle + n * 1_000_000 for n in range(3)
    ]
    assert [each.second * 1_000_000 for each in newest] == [
        story.now,
        story.now - 1_000_000,
    ]


@pytest.mark.rule("PRICE-03")
async def test_the_series_keeps_its_newest_points_wherever_the_batches_were_cut(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("projections.market.prices.POINTS_KEPT", 50)
    story = Story()
    for _ in range(60):
        story.wait(1)
        story.buy("ada", 1, at="50")
    at_once = MemoryStore()
    live_host(at_once).apply(segment(story.facts))

    one_by_one = await price_history(story.views, ACME)

    assert len(one_by_one) == 50
    assert await price_history(MemoryViews(at_once), ACME) == one_by_one


@pytest.mark.rule("PRICE-04")
def test_each_write_publishes_one_message_for_each_instrument():
    story = Story()
    story.sell("ada", 10, at="101")
    story.buy("ben", 4, at="101")
    story.buy("ben", 5, at="99.01")

    sent = [json.loads(body) for name, body in story.published if name.endswith(ACME)]

    assert story.published[-2][0] == "bourse:prices:ACME"
    assert sent[-1] == {
        "symbol": "ACME",
        "price": "99.9145",
        "time": "2026-09-21T14:13:20.000000Z",
        "open": "101",
        "high": "101",
        "low": "101",
        "close": "101",
        "previous_close": None,
        "volume": 4,
        "sequence": 5,
        "basis": "microprice",
        "bid": "99.01",
        "ask": "101",
    }
    assert [each["sequence"] for each in sent] == [1, 2, 4, 5]


async def test_prices_are_listed_by_symbol_without_those_unknown():
    story = Story()

    assert [each.symbol for each in await prices(story.views)] == [ACME]
    assert [each.symbol for each in await prices(story.views, [ACME, "NONE"])] == [ACME]
    assert await prices(story.views, []) == []
    assert await price(story.views, "NONE") is None


@pytest.mark.rule("PRICE-01")
async def test_prices_are_those_of_the_book_after_every_command():
    flow = Flow(21)
    store = MemoryStore()
    host = live_host(store)
    host.apply(segment(flow.facts))
    views = MemoryViews(store)

    for _ in range(400):
        new = flow.go_on()
        if new:
            host.apply(segment(new))
        for symbol in flow.symbols:
            row = await price(views, symbol)
            assert row is not None
            assert row.price == expected_price(flow, symbol)
            assert row.bid is None or row.ask is None or row.bid <= row.price <= row.ask

    for symbol in flow.symbols:
        row = await price(views, symbol)
        assert row is not None
        assert (row.open, row.high, row.low, row.volume) == session(flow, symbol)


def expected_price(flow: Flow, symbol: Symbol) -> Price:
    """Compute the price from the write side, with exact fractions (rule PRICE-01)."""
    market = flow.exchange.markets[symbol]
    bids, asks = (
        [(level.price, level.quantity) for level in side]
        for side in (market.book.bids, market.book.asks)
    )
    if bids and asks:
        below, above = shares(bids[:5]), shares(asks[:5])
        exact = bids[0][0] * above + asks[0][0] * below
        return Price(round(Fraction(int(exact), int(below + above))))
    return market.last_price or market.listing.reference_price


def shares(levels: list[tuple[Price, Quantity]]) -> Quantity:
    return sum((quantity for _, quantity in levels), NO_SHARES)


def session(
    flow: Flow, symbol: Symbol
) -> tuple[Price | None, Price | None, Price | None, Quantity]:
    """Compute the session's open, high, low and volume from the facts."""
    trades: list[TradeExecuted] = []
    for fact in flow.facts:
        if fact.stream != market_stream(symbol):
            continue
        if isinstance(fact.event, DayRolled):
            trades = []
        elif isinstance(fact.event, TradeExecuted):
            trades.append(fact.event)
    if not trades:
        return None, None, None, NO_SHARES
    values = [trade.price for trade in trades]
    volume = sum((trade.quantity for trade in trades), NO_SHARES)
    return values[0], max(values), min(values), volume

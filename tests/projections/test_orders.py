"""The records of orders, and the queries for them."""

from collections.abc import Sequence

import pytest

from commands.messages import ChangeListing, ListingChanges
from domain.events.market import OrderRejected
from domain.ids import Symbol, symbol_of
from domain.money import dollars
from domain.vocabulary import (
    CancelReason,
    Liquidity,
    OrderStatus,
    RejectReason,
    Side,
)
from projections.orders.order_queries import (
    ALL,
    CLOSED,
    OPEN,
    by_client_order_id,
    fills,
    order,
    orders,
)
from projections.orders.orders import OrderRecord, OrdersProjection
from projections.store import Read, ReadListed, ReadResult, View
from tests.support.facts import segment
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.rejections import ADA, rejections
from tests.support.story import ACME, Story
from tests.support.venue import Sent
from tests.support.views import live_host

pytestmark = pytest.mark.rule("VIEW-12")


async def shown(story: Story, sent: Sent) -> OrderRecord:
    """Return the record of an order."""
    record = await order(story.views, sent.order_id)
    assert record is not None
    return record


async def ids(story: Story, account_id: str = "ada", **asked: object) -> list[str]:
    """Return the ids of the listed orders."""
    found = await orders(story.views, account_id, **asked)
    return [record.order_id for record in found]


def ids_of(*sent: Sent) -> list[str]:
    """Return the ids of the orders that a test placed."""
    return [each.order_id for each in sent]


async def test_an_order_that_rests_is_new():
    story = Story()
    story.wait(3)
    bid = story.buy("ada", 10, at="99")

    record = await shown(story, bid)

    assert record.status is OrderStatus.NEW
    assert (record.quantity, record.filled, record.leaves) == (10, 0, 10)
    assert record.submitted_at == record.updated_at == story.now
    assert (record.symbol, record.side, record.limit_price) == (
        ACME,
        Side.BUY,
        dollars(99),
    )
    assert await fills(story.views, record) == []


async def test_fills_move_an_order_to_filled():
    story = Story(maker_fee=1, taker_fee=3)
    maker = story.sell("ada", 10, at="100")
    story.wait()
    first = story.buy("ben", 4, at="100")
    partly = await shown(story, maker)
    story.wait()
    second = story.buy("ben", 6, at="100")
    record = await shown(story, maker)

    assert partly.status is OrderStatus.PARTIALLY_FILLED
    assert (partly.filled, partly.leaves, partly.filled_at) == (4, 6, None)
    assert record.status is OrderStatus.FILLED
    assert (record.filled, record.leaves, record.filled_at) == (10, 0, story.now)
    assert record.filled_notional == 10 * dollars(100)
    assert record.fees == dollars("0.1")

    done = await fills(story.views, record)
    assert [(fill.quantity, fill.liquidity) for fill in done] == [
        (4, Liquidity.MAKER),
        (6, Liquidity.MAKER),
    ]
    assert await fills(story.views, record, first=1, limit=5) == done[1:]
    assert await fills(story.views, record, limit=1) == done[:1]
    assert await fills(story.views, record, first=2) == []
    (taken,) = await fills(story.views, await shown(story, first))
    assert (taken.liquidity, taken.fee) == (Liquidity.TAKER, dollars("0.12"))
    assert taken.trade_id == done[0].trade_id
    assert (await shown(story, second)).status is OrderStatus.FILLED


async def test_a_canceled_order_says_why():
    story = Story()
    requested = story.buy("ada", 10, at="99")
    story.wait()
    story.cancel(requested)
    unfilled = story.buy("ada", 5, at="90", tif="ioc")

    record = await shown(story, requested)

    assert record.status is OrderStatus.CANCELED
    assert record.canceled_at == story.now
    assert record.cancel_reason is CancelReason.REQUESTED
    other = await shown(story, unfilled)
    assert other.cancel_reason is CancelReason.IMMEDIATE_OR_CANCEL


async def test_a_day_order_expires_when_the_day_ends():
    story = Story()
    bid = story.buy("ada", 10, at="99", tif="day")
    story.roll("2026-01-02")

    record = await shown(story, bid)

    assert (record.status, record.expired_at) == (OrderStatus.EXPIRED, story.now)


async def test_a_rejected_order_says_why_and_which_bound_it_broke():
    story = Story()
    story.tell(ChangeListing(story.meta(), ACME, ListingChanges(price_band=500)))
    banded = story.buy("ada", 10, at="94")
    story.halt()
    halted = story.buy("ada", 10, at="99")

    record = await shown(story, banded)

    assert (record.status, record.failed_at) == (OrderStatus.REJECTED, story.now)
    assert record.reject_reason is RejectReason.PRICE_OUTSIDE_BAND
    assert record.bound == dollars(95)
    other = await shown(story, halted)
    assert other.reject_reason is RejectReason.MARKET_HALTED


async def test_a_replacement_carries_over_what_was_filled():
    story = Story()
    old_order = story.sell("ada", 10, at="100")
    story.buy("ben", 4, at="100")
    story.wait()
    new_order = story.replace(old_order, quantity=8, at="101")

    old, new = await shown(story, old_order), await shown(story, new_order)

    assert (old.status, old.replaced_by) == (OrderStatus.REPLACED, new_order.order_id)
    assert old.replaced_at == story.now
    assert (new.status, new.replaces) == (
        OrderStatus.PARTIALLY_FILLED,
        old_order.order_id,
    )
    assert (new.quantity, new.filled, new.leaves) == (8, 4, 4)
    assert new.filled_notional == 4 * dollars(100)
    assert await fills(story.views, new) == []

    story.buy("ben", 4, at="101")
    new = await shown(story, new_order)
    assert new.status is OrderStatus.FILLED
    assert len(await fills(story.views, new)) == 1


async def test_a_replacement_of_an_untouched_order_is_new():
    story = Story()
    replaced = story.replace(story.sell("ada", 10, at="100"), quantity=8, at="101")

    assert (await shown(story, replaced)).status is OrderStatus.NEW


async def test_an_order_is_found_by_the_clients_id_within_its_account():
    story = Story()
    bid = story.buy("ada", 10, at="99")
    client_id = (await shown(story, bid)).client_order_id

    found = await by_client_order_id(story.views, "ada", client_id)

    assert found == await shown(story, bid)
    assert await by_client_order_id(story.views, "ben", client_id) is None
    assert await order(story.views, "unknown") is None


@pytest.mark.rule("VIEW-13")
async def test_orders_are_listed_by_status():
    story = Story()
    waiting = story.sell("ada", 10, at="102")
    partly = story.sell("ada", 10, at="101")
    story.buy("ben", 5, at="101")
    filled = story.sell("ada", 10, at="100")
    story.buy("ben", 10, at="100")
    canceled = story.buy("ada", 10, at="90")
    story.cancel(canceled)

    assert await ids(story) == ids_of(partly, waiting)
    assert await ids(story, statuses=CLOSED) == ids_of(canceled, filled)
    assert await ids(story, statuses=ALL) == ids_of(canceled, filled, partly, waiting)
    assert await ids(story, statuses=[OrderStatus.FILLED]) == ids_of(filled)
    assert await ids(story, "nobody", statuses=ALL) == []
    assert set(OPEN) | set(CLOSED) == set(ALL)


@pytest.mark.rule("VIEW-13")
async def test_orders_are_listed_by_side_and_symbol():
    story = Story()
    bought, sold = story.buy("ada", 10, at="90"), story.sell("ada", 10, at="110")

    assert await ids(story, side=Side.BUY) == ids_of(bought)
    assert await ids(story, side=Side.SELL, symbols=[ACME, "OTHER"]) == ids_of(sold)
    assert await ids(story, symbols=["OTHER"]) == []


@pytest.mark.rule("VIEW-13")
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("filtered", [True, False])
async def test_pages_between_bounds_leave_none_out(newest_first: bool, filtered: bool):
    story = Story()
    placed: list[tuple[int, str]] = []
    for number in range(40):
        story.wait(number % 3)
        ask = story.sell("ada", 1, at=str(101 + number % 7))
        placed.append((story.now, ask.order_id))
    for _ in range(10):
        story.buy("ben", 1, at="101")
    placed.sort(reverse=newest_first)
    asked = {"side": Side.SELL} if filtered else {}

    for limit in (1, 3, 7, 40, 100, 100_000):
        found = await ids(
            story, statuses=ALL, newest_first=newest_first, limit=limit, **asked
        )
        assert found == [order_id for _, order_id in placed][:limit]

    low, high = placed[10][0], placed[30][0]
    low, high = min(low, high), max(low, high)
    found = await ids(
        story, statuses=ALL, after=low, until=high, newest_first=newest_first, **asked
    )
    assert found == [order_id for at, order_id in placed if low < at < high]


@pytest.mark.rule("VIEW-13")
async def test_more_orders_of_one_moment_than_a_page_holds_are_all_listed():
    story = Story()
    placed = ids_of(*(story.sell("ada", 1, at="101") for _ in range(30)))

    assert await ids(story, limit=3) == placed[:-4:-1]
    assert await ids(story, limit=20, newest_first=False) == placed[:20]


@pytest.mark.rule("VIEW-03")
@pytest.mark.parametrize("statuses", [OPEN, ALL])
async def test_a_list_comes_from_one_read(
    monkeypatch: pytest.MonkeyPatch, statuses: Sequence[OrderStatus]
):
    story = Story()
    placed = [story.sell("ada", 1, at="101") for _ in range(11)]
    read = story.views.read
    reads: list[Read] = []

    async def counted(view: View, some: Sequence[Read]) -> ReadResult:
        reads.extend(some)
        return await read(view, some)

    monkeypatch.setattr(story.views, "read", counted)
    shown = await ids(story, statuses=statuses, side=Side.SELL, symbols=[ACME])

    assert shown == ids_of(*placed[::-1])
    assert len(reads) == 1


@pytest.mark.rule("VIEW-19")
@pytest.mark.parametrize("side", [None, *Side])
@pytest.mark.parametrize("symbols", [[], ["S1"], ["S12", "S9", "S9", "NONE"]])
@pytest.mark.parametrize("statuses", [CLOSED, ALL, [OrderStatus.REJECTED]])
async def test_a_list_reads_no_closed_order_that_its_filter_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
    statuses: Sequence[OrderStatus],
    symbols: list[Symbol],
    side: Side | None,
):
    store = MemoryStore()
    facts = rejections(
        100,
        side=lambda number: Side.BUY if number % 3 else Side.SELL,
        symbol=lambda number: Symbol(f"S{number % 13}"),
    )
    live_host(store, [OrdersProjection]).apply(segment(facts))
    views = MemoryViews(store)
    read, examined = views.read, set[str]()

    async def watched(view: View, some: Sequence[Read]) -> ReadResult:
        kept = store.contents(view, store.live[view.name])
        for each in some:
            for name in each.collections if isinstance(each, ReadListed) else ():
                members = [member.decode() for _, member in kept.ordered(name)]
                examined.update(member.split()[0] for member in members)
        return await read(view, some)

    monkeypatch.setattr(views, "read", watched)
    shown = await orders(
        views, ADA, statuses=statuses, side=side, symbols=symbols, limit=500
    )

    assert examined == {each.order_id for each in shown}
    matching = [
        fact.event.order_id
        for fact in facts
        if isinstance(fact.event, OrderRejected)
        and side in (None, fact.event.side)
        and (not symbols or symbol_of(fact.stream) in symbols)
    ]
    assert [each.order_id for each in shown] == matching[::-1]


@pytest.mark.rule("VIEW-13")
async def test_open_and_closed_orders_are_listed_together_by_symbol():
    story = Story()
    waiting = story.sell("ada", 10, at="102")
    canceled = story.buy("ada", 10, at="90")
    story.cancel(canceled)
    story.sell("ada", 5, at="101")

    shown = await ids(story, statuses=ALL, symbols=[ACME], limit=3, newest_first=False)

    assert shown[:2] == ids_of(waiting, canceled)
    assert await ids(story, statuses=ALL, symbols=["OTHER"]) == []


@pytest.mark.rule("VIEW-03")
async def test_a_list_shows_the_first_order_in_an_instrument_that_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
):
    store = MemoryStore()
    host = live_host(store, [OrdersProjection])
    facts = rejections(2, symbol=lambda number: Symbol(("ACME", "GLBX")[number]))
    host.apply(segment(facts[:1]))
    views = MemoryViews(store)
    read = views.read

    async def overtaken(view: View, some: Sequence[Read]) -> ReadResult:
        result = await read(view, some)
        if host.position == 1:
            host.apply(segment(facts[1:]))
        return result

    monkeypatch.setattr(views, "read", overtaken)
    shown = await orders(views, ADA, statuses=ALL)

    assert [each.symbol for each in shown] == ["GLBX", "ACME"]

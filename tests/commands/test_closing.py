"""docs/rules/orders.md: closing a position sells its shares with a market order."""

from decimal import Decimal
from typing import Any

import pytest

from commands.messages import ClosePosition, SetPreferences
from commands.state.register import Repeated
from domain.errors import (
    InsufficientShares,
    InvalidOrder,
    NotFound,
    OffLot,
    TradingSuspended,
    UnknownSymbol,
)
from domain.events.event import Meta
from domain.events.market import OrderAccepted, OrderRejected
from domain.events.register import AnyEvent
from domain.vocabulary import (
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from tests.support.spec import AT
from tests.support.venue import Venue


def venue_with_shares(shares: int, **terms: Any) -> Venue:
    """Return a venue on which alice has shares of ACME."""
    venue = Venue(**terms)
    venue.trader("alice", shares=shares)
    return venue


def close(venue: Venue, symbol: str = "ACME", **part: Any) -> list[AnyEvent]:
    """Close alice's position, or a part of it, with the order `closing`."""
    return venue.tell(ClosePosition(venue.meta(), "alice", symbol, "closing", **part))


def accepted(events: list[AnyEvent]) -> OrderAccepted:
    (fact,) = (each for each in events if isinstance(each, OrderAccepted))
    return fact


@pytest.mark.rule("MATCH-08")
def test_closing_sells_all_shares_at_the_market_as_far_as_there_are_bids():
    venue = venue_with_shares(10_000)
    venue.buy("bob", 6_000, at="9.90")

    order = accepted(close(venue))

    assert (order.order_id, order.client_order_id) == ("closing", "closing")
    assert (order.side, order.order_type) == (Side.SELL, OrderType.MARKET)
    assert (order.time_in_force, order.limit_price) == (TimeInForce.DAY, None)
    assert order.quantity == 10_000
    assert venue.status_of("alice", "closing") is OrderStatus.CANCELED
    holding = venue.wallet("alice").holdings["ACME"]
    assert (holding.quantity, holding.reserved) == (4_000, 0)
    assert venue.wallet("alice").ledger == 6_000 * 99_000


def test_closing_a_quantity_sells_that_many_shares():
    venue = venue_with_shares(10_000)

    assert accepted(close(venue, quantity=7)).quantity == 7


@pytest.mark.rule("ORDER-04")
@pytest.mark.parametrize(
    ("percentage", "shares", "lot", "sold"),
    [
        ("100", 10_000, 1, 10_000),
        ("12.505", 10_000, 1, 1_250),
        ("0.01", 10_000, 1, 1),
        ("33.3", 10, 1, 3),
        ("100", 1_005, 10, 1_000),
        ("50", 1_005, 10, 500),
        ("1", 1_999, 10, 10),
    ],
)
def test_a_percentage_of_a_position_is_rounded_down_to_lots(
    percentage: str, shares: int, lot: int, sold: int
):
    venue = venue_with_shares(shares, lot_size=lot)

    order = accepted(close(venue, percentage=Decimal(percentage)))

    assert order.quantity == sold


@pytest.mark.parametrize("percentage", ["0", "-1", "100.01", "101"])
def test_a_percentage_is_more_than_0_and_at_most_100(percentage: str):
    venue = venue_with_shares(10_000)

    with pytest.raises(InvalidOrder, match="more than 0 and at most 100"):
        close(venue, percentage=Decimal(percentage))


@pytest.mark.rule("ORDER-01")
@pytest.mark.parametrize(
    ("percentage", "shares", "lot"), [("0.009", 10_000, 1), ("99", 10, 10)]
)
def test_a_percentage_that_is_less_than_one_lot_is_refused(
    percentage: str, shares: int, lot: int
):
    venue = venue_with_shares(shares, lot_size=lot)

    with venue.refuses(InvalidOrder, field="percentage"):
        close(venue, percentage=Decimal(percentage))


@pytest.mark.rule("ORDER-01")
def test_a_quantity_of_zero_is_refused():
    venue = venue_with_shares(10)

    with venue.refuses(InvalidOrder, field="qty"):
        close(venue, quantity=0)


@pytest.mark.rule("ORDER-04")
def test_a_whole_position_with_an_odd_lot_is_refused():
    venue = venue_with_shares(1_005, lot_size=10)

    with venue.refuses(OffLot, lot_size="10"):
        close(venue)


@pytest.mark.rule("WALLET-04")
def test_closing_sells_no_share_that_backs_another_order():
    venue = venue_with_shares(10)
    venue.sell("alice", 4, at="11")

    for part in ({}, {"quantity": 7}, {"percentage": Decimal(70)}):
        with venue.refuses(InsufficientShares, held_for_orders="4"):
            close(venue, **part)

    assert accepted(close(venue, quantity=6)).quantity == 6


@pytest.mark.rule("WALLET-04")
def test_more_shares_than_the_position_has_are_refused():
    venue = venue_with_shares(10)

    with venue.refuses(InsufficientShares, available="10"):
        close(venue, quantity=11)


def test_an_account_that_never_had_shares_has_no_position_to_close():
    venue = venue_with_shares(10)
    venue.list_asset("OTHER")

    with venue.refuses(NotFound):
        close(venue, "OTHER")


def test_an_account_that_sold_its_shares_has_no_position_to_close():
    venue = venue_with_shares(10)
    venue.buy("bob", 10, at="9.90")
    venue.sell("alice", 10)

    with venue.refuses(NotFound):
        close(venue)


@pytest.mark.rule("ORDER-06")
def test_closing_needs_a_listed_instrument_and_an_account():
    venue = Venue()

    with venue.refuses(UnknownSymbol, symbol="NONE"):
        close(venue, "NONE")
    with venue.refuses(NotFound):
        close(venue)


@pytest.mark.rule("ORDER-13")
def test_an_account_that_suspended_trading_closes_no_position():
    venue = venue_with_shares(10)
    venue.tell(SetPreferences(venue.meta(), "alice", suspend_trade=True))

    with venue.refuses(TradingSuspended):
        close(venue)


@pytest.mark.rule("ORDER-14")
def test_a_halted_market_rejects_the_order_on_record():
    venue = venue_with_shares(10)
    venue.halt()

    (rejected,) = close(venue)

    assert isinstance(rejected, OrderRejected)
    assert (rejected.order_id, rejected.quantity) == ("closing", 10)
    assert rejected.reason is RejectReason.MARKET_HALTED
    assert venue.wallet("alice").holdings["ACME"].reserved == 0


@pytest.mark.rule("COMMAND-02")
def test_a_repeat_is_recognized_after_the_position_is_gone():
    venue = venue_with_shares(10)
    venue.buy("bob", 20, at="9.90")
    meta = Meta(AT, "alice", "close it", key="key", digest="all of ACME")
    command = ClosePosition(meta, "alice", "ACME", "closing")

    venue.tell(command)

    assert venue.wallet("alice").holdings == {}
    with pytest.raises(Repeated):
        venue.tell(command)

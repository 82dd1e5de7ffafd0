"""docs/rules/orders.md: what may be asked for."""

from typing import Any

import pytest

from domain.errors import (
    AmountTooLarge,
    InsufficientFunds,
    InvalidOrder,
    NotFound,
    NothingToReplace,
    OffLot,
    OffTick,
    PriceOutsideBand,
    UnknownSymbol,
)
from domain.vocabulary import (
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.support.tickets import ticket, venue_with_alice


@pytest.mark.rule("ORDER-01")
@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_that_is_not_positive_is_refused(quantity: int):
    venue = venue_with_alice()

    with venue.refuses(InvalidOrder, field="qty"):
        venue.buy("alice", quantity, at="10.00")


@pytest.mark.rule("ORDER-01")
@pytest.mark.rule("ORDER-04")
def test_one_share_is_an_order():
    venue = venue_with_alice()

    assert venue.buy("alice", 1, at="10.00").accepted.quantity == 1


@pytest.mark.rule("ORDER-02")
@pytest.mark.parametrize("price", [0, -100, None])
def test_a_limit_order_without_a_positive_price_is_refused(price: int | None):
    venue = venue_with_alice()

    with venue.refuses(InvalidOrder, field="limit_price"):
        venue.place(ticket(limit_price=price))


@pytest.mark.rule("ORDER-02")
def test_a_market_order_with_a_price_is_refused():
    venue = venue_with_alice()

    with venue.refuses(InvalidOrder, field="limit_price"):
        venue.place(ticket(order_type=OrderType.MARKET))


@pytest.mark.rule("ORDER-03")
def test_a_price_off_the_tick_is_refused():
    venue = venue_with_alice(tick_size="0.05")

    with venue.refuses(OffTick, tick_size="0.05"):
        venue.buy("alice", 100, at="10.01")
    assert venue.buy("alice", 100, at="10.05").accepted.limit_price == 100_500


@pytest.mark.rule("ORDER-04")
def test_a_quantity_off_the_lot_is_refused():
    venue = venue_with_alice(lot_size=100)

    with venue.refuses(OffLot, lot_size="100"):
        venue.buy("alice", 150, at="10.00")
    assert venue.buy("alice", 200, at="10.00").accepted.quantity == 200


@pytest.mark.rule("ORDER-05")
@pytest.mark.parametrize(
    ("quantity", "price"),
    [(1, 10**11 + 100), (10**9 + 1, 100), (1_000_001, 10**11)],
    ids=["price", "quantity", "product"],
)
@pytest.mark.parametrize("side", list(Side))
def test_amounts_beyond_what_the_venue_carries_are_refused(
    quantity: int, price: int, side: Side
):
    venue = venue_with_alice()

    with venue.refuses(AmountTooLarge):
        venue.place(ticket(side=side, quantity=quantity, limit_price=price))


@pytest.mark.rule("ORDER-05")
@pytest.mark.parametrize(
    ("quantity", "price"), [(1, 10**11), (10**9, 100), (1_000_000, 10**11)]
)
def test_amounts_that_the_venue_just_carries_need_only_the_money(
    quantity: int, price: int
):
    venue = venue_with_alice()

    with venue.refuses(InsufficientFunds):
        venue.place(ticket(quantity=quantity, limit_price=price))


@pytest.mark.rule("ORDER-05")
def test_a_hold_beyond_what_the_venue_carries_is_refused():
    venue = venue_with_alice(taker_fee=1)

    with venue.refuses(AmountTooLarge):
        venue.place(ticket(quantity=1_000_000, limit_price=10**11))


@pytest.mark.rule("ORDER-05")
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_replacement_beyond_what_the_venue_carries_is_refused(side: Side):
    venue = venue_with_alice()
    sent = venue.place(ticket(side=side))

    with venue.refuses(AmountTooLarge):
        venue.replace(sent, quantity=1_000_001, at="10000000")


@pytest.mark.rule("ORDER-06")
def test_an_order_for_what_is_not_listed_is_refused():
    venue = venue_with_alice()

    with venue.refuses(UnknownSymbol, symbol="NONE"):
        venue.place(ticket(symbol="NONE"))


def test_an_order_of_an_unknown_account_is_refused():
    venue = venue_with_alice()

    with venue.refuses(NotFound):
        venue.place(ticket(account_id="nobody"))


@pytest.mark.rule("ORDER-07")
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"quantity": 0}, InvalidOrder),
        ({"quantity": 150}, OffLot),
        ({"at": "10.01"}, OffTick),
        ({"at": "0"}, InvalidOrder),
        ({"at": "11.05"}, PriceOutsideBand),
        ({"tif": "ioc"}, InvalidOrder),
        ({"tif": "fok"}, InvalidOrder),
        ({"quantity": 100}, NothingToReplace),
    ],
)
def test_a_replacement_obeys_the_rules_of_orders(
    change: dict[str, Any], refusal: type[InvalidOrder]
):
    venue = venue_with_alice(tick_size="0.05", lot_size=100, price_band=1_000)
    sent = venue.buy("alice", 300, at="10.00")
    venue.sell("bob", 100, at="10.00")

    with venue.refuses(refusal):
        venue.replace(sent, **change)


@pytest.mark.rule("ORDER-07")
def test_a_replacement_leaves_as_it_was_what_it_does_not_name():
    venue = venue_with_alice()
    sent = venue.buy("alice", 300, at="10.00", tif="day", stp="cancel_both")
    venue.sell("bob", 100, at="10.00")

    new = venue.replace(sent)

    order = venue.market.book.orders[new.order_id]
    assert (order.quantity, order.filled, order.limit_price) == (300, 100, 100_000)
    assert order.time_in_force is TimeInForce.DAY
    assert order.self_trade_prevention is SelfTradePrevention.CANCEL_BOTH

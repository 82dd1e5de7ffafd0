"""docs/rules/orders.md: a client order id names one order of an account."""

from typing import Any

import pytest

from commands.receipts import Repeated
from domain.errors import (
    DuplicateOrder,
)
from domain.vocabulary import (
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.support.tickets import ticket, venue_with_alice


@pytest.mark.rule("ORDER-09")
def test_a_client_order_id_sent_again_with_the_same_content_repeats():
    venue = venue_with_alice()
    first = venue.place(ticket())

    with pytest.raises(Repeated) as repeated:
        venue.place(ticket(order_id="order-2"))

    assert repeated.value.position() == 0
    repeated.value.check([first.accepted])


@pytest.mark.rule("ORDER-09")
@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "OTHER"},
        {"side": Side.SELL},
        {"order_type": OrderType.MARKET, "limit_price": None},
        {"time_in_force": TimeInForce.DAY},
        {"quantity": 101},
        {"limit_price": 100_100},
        {"self_trade_prevention": SelfTradePrevention.CANCEL_BOTH},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_client_order_id_sent_again_with_other_content_is_refused(
    change: dict[str, Any],
):
    venue = venue_with_alice()
    first = venue.place(ticket())

    with pytest.raises(Repeated) as repeated:
        venue.place(ticket(order_id="order-2", **change))

    with pytest.raises(DuplicateOrder):
        repeated.value.check([first.accepted])


@pytest.mark.rule("ORDER-09")
def test_a_client_order_id_is_one_accounts_own():
    venue = venue_with_alice()
    venue.trader("bob", cash="10000")
    venue.place(ticket())

    other = venue.place(ticket(order_id="order-2", account_id="bob"))

    assert other.accepted.account_id == "bob"


@pytest.mark.rule("ORDER-09")
def test_the_client_order_id_of_an_order_that_ended_is_still_taken():
    venue = venue_with_alice()
    venue.cancel(venue.place(ticket()))

    with pytest.raises(Repeated):
        venue.place(ticket(order_id="order-2"))


@pytest.mark.rule("ORDER-09")
def test_a_rejected_order_repeats_too():
    venue = venue_with_alice()
    venue.halt()
    first = venue.place(ticket())
    venue.resume()

    with pytest.raises(Repeated) as repeated:
        venue.place(ticket(order_id="order-2"))

    repeated.value.check(first.events)


@pytest.mark.rule("ORDER-09")
def test_a_replacement_sent_again_repeats():
    venue = venue_with_alice()
    first = venue.place(ticket())
    new = venue.replace(first, quantity=50, at="9.00", tif="day", client_id="again")

    with pytest.raises(Repeated) as repeated:
        venue.replace(first, quantity=50, at="9.00", tif="day", client_id="again")

    repeated.value.check(new.events[-1:])


@pytest.mark.rule("ORDER-09")
@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 60},
        {"quantity": None},
        {"at": "9.01"},
        {"at": None},
        {"tif": "gtc"},
    ],
    ids=str,
)
def test_a_replacement_sent_again_with_other_content_is_refused(
    change: dict[str, Any],
):
    venue = venue_with_alice()
    first = venue.place(ticket())
    terms: dict[str, Any] = {"quantity": 50, "at": "9.00", "tif": "day"}
    new = venue.replace(first, **terms, client_id="again")

    with pytest.raises(Repeated) as repeated:
        venue.replace(first, **{**terms, **change}, client_id="again")

    with pytest.raises(DuplicateOrder):
        repeated.value.check(new.events[-1:])


@pytest.mark.rule("ORDER-09")
def test_an_order_and_a_replacement_cannot_share_a_client_order_id():
    venue = venue_with_alice()
    first = venue.place(ticket())
    other = venue.place(ticket(order_id="order-2", client_order_id="other"))
    new = venue.replace(other, quantity=50, client_id="third")

    with pytest.raises(Repeated) as as_replacement:
        venue.replace(new, quantity=40, client_id="my order")
    with pytest.raises(Repeated) as as_order:
        venue.place(ticket(order_id="order-3", client_order_id="third"))

    with pytest.raises(DuplicateOrder):
        as_replacement.value.check([first.accepted])
    with pytest.raises(DuplicateOrder):
        as_order.value.check(new.events[-1:])

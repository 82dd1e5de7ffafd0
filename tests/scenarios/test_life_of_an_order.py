"""The whole life of an order in the log: hold, place, settle."""

from domain.events.register import AnyEvent, tag_of
from tests.support.venue import Venue


def tags(events: list[AnyEvent]) -> list[str]:
    """Return the tags of facts, in the order of the log."""
    return [tag_of(type(each)) for each in events]


def test_an_order_that_rests_is_two_facts():
    venue = Venue()

    bid = venue.buy("alice", 100, at="9.99")
    ask = venue.sell("bob", 100, at="10.01")

    assert tags(bid.events) == ["wallet.funds-held", "market.order-accepted"]
    assert tags(ask.events) == ["wallet.shares-reserved", "market.order-accepted"]


def test_an_order_that_trades_once_is_five_facts():
    venue = Venue()
    venue.sell("bob", 100, at="10.01")

    order = venue.buy("alice", 100, at="10.01", tif="ioc")

    assert tags(order.events) == [
        "wallet.funds-held",
        "market.order-accepted",
        "market.trade-executed",
        "wallet.trade-settled",
        "wallet.trade-settled",
    ]


def test_what_does_not_fill_is_canceled_and_its_backing_released():
    venue = Venue(maker_fee=5, taker_fee=10)
    venue.sell("bob", 60, at="10.01")

    order = venue.buy("alice", 100, at="10.01", tif="ioc")

    assert tags(order.events) == [
        "wallet.funds-held",
        "market.order-accepted",
        "market.trade-executed",
        "market.order-canceled",
        "wallet.trade-settled",
        "wallet.trade-settled",
        "wallet.opened",
        "wallet.fee-collected",
        "wallet.funds-released",
    ]


def test_a_replacement_exchanges_its_backing_before_it_enters():
    venue = Venue()
    venue.sell("bob", 60, at="10.01")
    order = venue.buy("alice", 100, at="9.99")

    new = venue.replace(order, at="10.01")

    assert tags(new.events) == [
        "wallet.funds-released",
        "wallet.funds-held",
        "market.order-replaced",
        "market.trade-executed",
        "wallet.trade-settled",
        "wallet.trade-settled",
    ]

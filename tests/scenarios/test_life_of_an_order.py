"""The whole story of an order, as the log tells it: hold, place, settle."""

from domain.events.register import AnyEvent, tag_of
from domain.money import text
from tests.support.venue import Venue


def told(events: list[AnyEvent]) -> list[str]:
    """The names of facts, in the order of the log."""
    return [tag_of(type(each)) for each in events]


def test_an_order_that_rests_is_two_facts():
    venue = Venue()

    bid = venue.buy("alice", 100, at="9.99")
    ask = venue.sell("bob", 100, at="10.01")

    assert told(bid.events) == ["wallet.funds-held", "market.order-accepted"]
    assert told(ask.events) == ["wallet.shares-reserved", "market.order-accepted"]
    venue.shows("""
        bid   price   ask
              10.01   100
        100    9.99
    """)


def test_an_order_that_trades_once_is_five_facts():
    venue = Venue()
    venue.sell("bob", 100, at="10.01")

    order = venue.buy("alice", 100, at="10.01", tif="ioc")

    assert told(order.events) == [
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

    assert told(order.events) == [
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

    assert told(new.events) == [
        "wallet.funds-released",
        "wallet.funds-held",
        "market.order-replaced",
        "market.trade-executed",
        "wallet.trade-settled",
        "wallet.trade-settled",
    ]


def test_a_day_on_a_small_market():
    venue = Venue(maker_fee=2, taker_fee=4, price_band=1_000)
    alice = venue.trader("alice", cash="10000")
    bob = venue.trader("bob", shares=500)
    carol = venue.trader("carol", cash="2000", shares=100)

    # The morning: bob offers, carol bids beside him, alice takes.
    venue.sell("bob", 200, at="10.02")
    venue.sell("bob", 200, at="10.05", tif="day")
    bid = venue.buy("carol", 100, at="9.98", tif="day")
    assert venue.buy("alice", 300).trades == [("10.02", 200), ("10.05", 100)]
    venue.shows("""
        bid   price   ask
              10.05   100
        100    9.98
    """)

    # News: nobody may trade, carol steps back; the price has moved after it, and what
    # bob left in the book trades outside of the new band.
    venue.halt()
    assert venue.buy("alice", 10, at="10.05").rejected is not None
    venue.cancel(bid)
    venue.resume()
    venue.change(reference_price=120_000)
    venue.buy("carol", 50, at="11.00", tif="day", stp="cancel_both")
    venue.sell("alice", 120, at="11.50")

    # The evening: what was for the day is gone.
    venue.roll("2026-01-02")
    venue.shows("""
        bid   price   ask
              11.50   120
    """)
    owned = {
        name: (text(each.ledger), each.holdings["ACME"].quantity)
        for name, each in (("alice", alice), ("bob", bob), ("carol", carol))
    }
    assert owned == {
        "alice": ("6989.7964", 300),
        "bob": ("3510.7977", 150),
        "carol": ("1497.299", 150),
    }
    assert (alice.held, carol.held) == (0, 0)
    assert venue.market.previous_close == 100_500

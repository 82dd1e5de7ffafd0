"""docs/rules/matching.md: price goes before time, and the rest goes into the book."""

import pytest

from domain.events.market import TradeExecuted
from tests.support.venue import Venue

TWO_ASKS = """
    bid   price   ask
          10.02   300
          10.01   100
    200    9.99
"""


@pytest.mark.rule("MATCH-01")
def test_a_buy_walks_up_the_asks_from_the_best_price():
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 250)

    assert order.trades == [("10.01", 100), ("10.02", 150)]
    venue.shows("""
        bid   price   ask
              10.02   150
        200    9.99
    """)


@pytest.mark.rule("MATCH-01")
def test_a_sell_walks_down_the_bids_from_the_best_price():
    venue = Venue()
    venue.book("""
        bid   price   ask
        100    9.99
        300    9.97
    """)

    order = venue.sell("carol", 250, at="9.97")

    assert order.trades == [("9.99", 100), ("9.97", 150)]
    venue.shows("""
        bid   price   ask
        150    9.97
    """)


@pytest.mark.rule("MATCH-01")
def test_a_limit_order_goes_no_further_than_its_limit():
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 250, at="10.01")

    assert order.trades == [("10.01", 100)]
    venue.shows("""
        bid   price   ask
              10.02   300
        150   10.01
        200    9.99
    """)


@pytest.mark.rule("MATCH-02")
def test_within_a_price_the_oldest_order_trades_first():
    venue = Venue()
    for name in ("alice", "bob", "dave"):
        venue.sell(name, 100, at="10.01")

    order = venue.buy("carol", 250, at="10.01")

    assert order.makers == ["alice", "bob", "dave"]
    venue.shows("""
        bid   price   ask
              10.01   50
    """)


@pytest.mark.rule("MATCH-02")
def test_a_better_price_goes_before_an_older_order():
    venue = Venue()
    venue.sell("alice", 100, at="10.02")
    venue.sell("bob", 100, at="10.01")

    order = venue.buy("carol", 100, at="10.02")

    assert order.makers == ["bob"]


@pytest.mark.rule("MATCH-03")
def test_a_trade_prints_at_the_resting_orders_price():
    venue = Venue()
    venue.sell("alice", 100, at="10.01")
    venue.buy("bob", 100, at="9.99")

    assert venue.buy("carol", 100, at="10.50").trades == [("10.01", 100)]
    assert venue.sell("carol", 100, at="9.50").trades == [("9.99", 100)]


@pytest.mark.rule("MATCH-04")
@pytest.mark.parametrize("tif", ["day", "gtc"])
def test_what_is_not_traded_at_once_rests_behind_what_is_there(tif: str):
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.01   40
        100   10.00
    """)

    first = venue.buy("carol", 100, at="10.01", tif=tif)
    venue.buy("carol", 70, at="10.00", tif=tif)

    assert first.accepted.resting == 60
    venue.shows("""
        bid      price   ask
            60   10.01
        100+70   10.00
    """)


@pytest.mark.rule("MATCH-05")
def test_a_resting_order_filled_in_part_keeps_its_place():
    venue = Venue()
    venue.sell("alice", 100, at="10.01")
    venue.sell("bob", 100, at="10.01")

    venue.buy("carol", 30, at="10.01")

    venue.shows("""
        bid   price   ask
              10.01   70+100
    """)
    assert venue.buy("carol", 80, at="10.01").makers == ["alice", "bob"]


@pytest.mark.rule("MATCH-12")
def test_an_order_at_the_opposite_best_price_trades_and_does_not_cross():
    venue = Venue()
    venue.book(TWO_ASKS)

    venue.sell("carol", 250, at="9.99")

    venue.shows("""
        bid   price   ask
              10.02   300
              10.01   100
               9.99   50
    """)


@pytest.mark.rule("MATCH-13")
def test_trades_are_numbered_from_one():
    venue = Venue()
    venue.book(TWO_ASKS)
    venue.buy("carol", 250)
    venue.sell("carol", 10)

    trades = (each.event for each in venue.log)
    numbers = [each.trade_id for each in trades if isinstance(each, TradeExecuted)]

    assert numbers == [1, 2, 3]


@pytest.mark.rule("MATCH-02")
def test_orders_that_left_from_the_middle_of_a_queue_are_passed_over():
    venue = Venue()
    orders = [venue.sell(name, 10, at="10.01") for name in ("a", "b", "c", "d")]
    venue.cancel(orders[1])
    venue.cancel(orders[2])

    assert venue.buy("carol", 20, at="10.01").makers == ["a", "d"]


@pytest.mark.rule("MATCH-02")
def test_a_queue_that_most_orders_left_keeps_its_order():
    venue = Venue()
    orders = [venue.sell(f"t{number}", 1, at="10.01") for number in range(50)]
    for order in orders[1:45]:
        venue.cancel(order)

    trade = venue.buy("carol", 10, at="10.01")

    assert trade.makers == ["t0", "t45", "t46", "t47", "t48", "t49"]

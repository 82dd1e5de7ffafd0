"""docs/rules/matching.md: which place in the queue a replacement gets."""

import pytest

from domain.errors import NothingToReplace
from domain.events.market import OrderReplaced
from domain.vocabulary import OrderStatus
from tests.support.venue import Venue

TWO_ASKS = """
    bid   price   ask
          10.02   300
          10.01   100
    200    9.99
"""


@pytest.mark.rule("MATCH-06")
@pytest.mark.parametrize("quantity", [60, 100, None])
def test_a_replacement_that_is_not_larger_keeps_its_place(quantity: int | None):
    venue = Venue()
    order = venue.sell("alice", 100, at="10.01")
    venue.sell("bob", 100, at="10.01")

    new = venue.replace(order, quantity=quantity, tif="day")

    left = quantity or 100
    assert venue.status(order) is OrderStatus.REPLACED
    assert venue.status(new) is OrderStatus.NEW
    venue.shows(f"""
        bid   price   ask
              10.01   {left}+100
    """)
    assert venue.buy("carol", left, at="10.01").makers == ["alice"]


@pytest.mark.rule("MATCH-06")
def test_an_order_filled_in_part_shrinks_to_what_is_left_of_the_new_total():
    venue = Venue()
    order = venue.sell("alice", 100, at="10.01")
    venue.buy("carol", 30, at="10.01")

    new = venue.replace(order, quantity=50)

    venue.shows("""
        bid   price   ask
              10.01   20
    """)
    assert venue.status(new) is OrderStatus.PARTIALLY_FILLED


@pytest.mark.rule("MATCH-07")
@pytest.mark.parametrize(
    ("quantity", "price", "tif"),
    [(101, None, None), (None, "10.02", None), (50, "10.02", "day")],
)
def test_a_replacement_that_is_larger_or_priced_anew_goes_to_the_back(
    quantity: int | None, price: str | None, tif: str | None
):
    venue = Venue()
    order = venue.sell("alice", 100, at="10.01")
    venue.sell("bob", 100, at=price or "10.01")

    venue.replace(order, quantity=quantity, at=price, tif=tif)

    assert venue.buy("carol", 150, at="10.02").makers == ["bob", "alice"]


@pytest.mark.rule("MATCH-07")
def test_a_marketable_replacement_trades_at_once_and_the_rest_rests():
    venue = Venue()
    venue.book(TWO_ASKS)
    order = venue.buy("carol", 250, at="9.98")

    new = venue.replace(order, at="10.01")

    assert new.trades == [("10.01", 100)]
    venue.shows("""
        bid   price   ask
              10.02   300
        150   10.01
        200    9.99
    """)


@pytest.mark.rule("MATCH-07")
def test_a_replacement_that_fills_whole_leaves_nothing_behind():
    venue = Venue()
    venue.book(TWO_ASKS)
    order = venue.buy("carol", 250, at="9.98")
    held_before = venue.wallet("carol").held

    new = venue.replace(order, at="10.02")

    assert new.trades == [("10.01", 100), ("10.02", 150)]
    assert venue.status(new) is OrderStatus.FILLED
    assert held_before > 0
    assert venue.wallet("carol").held == 0


@pytest.mark.rule("MATCH-07")
def test_a_replacement_carries_what_was_filled_before():
    venue = Venue()
    order = venue.sell("alice", 100, at="10.01")
    venue.buy("carol", 30, at="10.01")

    new = venue.replace(order, quantity=200, at="10.02")

    (fact,) = (each for each in new.events if isinstance(each, OrderReplaced))
    assert (fact.filled, fact.filled_notional) == (30, 30 * 100_100)
    assert (fact.removed, fact.removed_price, fact.resting) == (70, 100_100, 170)
    with venue.refuses(NothingToReplace, filled_qty="30"):
        venue.replace(new, quantity=30)

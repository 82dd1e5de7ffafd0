"""docs/rules/markets.md: price bands, and the collar within them."""

from typing import Any

import pytest

from domain.errors import (
    PriceOutsideBand,
)
from domain.vocabulary import OrderStatus, RejectReason
from tests.support.venue import Venue, listing


@pytest.mark.rule("BAND-01")
@pytest.mark.parametrize(
    ("terms", "limits"),
    [
        ({"price_band": 500}, (95_000, 105_000)),
        # 5 % of 10.01 is 0.5005, so the exact limits lie between two ticks.
        ({"price_band": 500, "reference_price": "10.01"}, (95_100, 105_100)),
        ({"price_band": 1}, (100_000, 100_000)),
        ({"price_band": 9_999, "reference_price": "0.01"}, (100, 100)),
    ],
)
def test_the_bands_limits_are_on_the_tick_and_within_its_part(
    terms: dict[str, Any], limits: tuple[int, int]
):
    assert listing(**terms).band() == limits


@pytest.mark.rule("BAND-01")
def test_without_a_band_every_price_trades():
    venue = Venue()

    assert listing().band() is None
    assert venue.buy("alice", 1, at="0.01").rejected is None
    assert venue.buy("alice", 1, at="1000.00").rejected is None


@pytest.mark.rule("BAND-02")
@pytest.mark.parametrize(("price", "bound"), [("10.51", "10.5"), ("9.49", "9.5")])
def test_a_price_outside_the_band_is_rejected_before_matching(price: str, bound: str):
    venue = Venue(price_band=500)
    venue.book("""
        bid   price   ask
              10.10   100
        100   10.00
    """)

    bought = venue.buy("alice", 100, at=price)
    sold = venue.sell("alice", 100, at=price)

    assert bought.rejected == (RejectReason.PRICE_OUTSIDE_BAND, bound)
    assert sold.rejected == (RejectReason.PRICE_OUTSIDE_BAND, bound)
    assert bought.trades == sold.trades == []


@pytest.mark.rule("BAND-02")
@pytest.mark.parametrize("price", ["10.50", "9.50"])
def test_a_price_at_the_limit_of_the_band_is_accepted(price: str):
    venue = Venue(price_band=500)

    assert venue.buy("alice", 100, at=price).rejected is None


@pytest.mark.rule("BAND-02")
def test_a_replacement_outside_the_band_is_refused_and_names_the_limit():
    venue = Venue(price_band=500)
    order = venue.buy("alice", 100, at="10.00")

    with venue.refuses(PriceOutsideBand, bound="10.5"):
        venue.replace(order, at="10.51")


@pytest.mark.rule("BAND-03")
def test_resting_orders_stay_and_trade_when_the_band_moves_away():
    venue = Venue(price_band=500)
    order = venue.buy("alice", 100, at="10.00")

    venue.change(reference_price=200_000)

    assert venue.status(order) is OrderStatus.NEW
    assert venue.sell("bob", 100, at="19.00").trades == []
    assert venue.sell("bob", 40, at="10.00").rejected is not None
    venue.change(price_band=0)
    assert venue.sell("bob", 100, at="10.00").trades == [("10", 100)]


@pytest.mark.rule("BAND-03")
def test_a_resting_order_trades_at_its_price_outside_of_the_new_band():
    venue = Venue(price_band=500)
    venue.buy("alice", 100, at="10.50")

    venue.change(price_band=100)

    assert venue.sell("bob", 100, at="10.10").trades == [("10.5", 100)]


@pytest.mark.rule("MATCH-09")
@pytest.mark.parametrize(
    ("best_ask", "terms", "worst"),
    [
        (100_000, {}, 105_000),
        # Exactly half a tick goes to the even one: 10.5 and 31.5 ticks of 0.01.
        (1_000, {}, 1_000),
        (3_000, {}, 3_200),
        (1_100, {}, 1_200),
        (100, {}, 100),
        (100_000, {"collar": 0}, 100_000),
        (100_000, {"collar": 100}, 101_000),
        (100_000, {"price_band": 200}, 102_000),
    ],
)
def test_the_collar_is_rounded_half_even_to_the_tick(
    best_ask: int, terms: dict[str, Any], worst: int
):
    assert listing(**terms).collared(best_ask) == worst

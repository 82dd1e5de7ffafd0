"""docs/rules/matching.md: market, ioc and fok orders, and the collar."""

import pytest

from domain.vocabulary import CancelReason, OrderStatus
from tests.support.venue import Venue

TWO_ASKS = """
    bid   price   ask
          10.02   300
          10.01   100
    200    9.99
"""


@pytest.mark.rule("MATCH-08")
@pytest.mark.parametrize("tif", ["day", "gtc", "ioc"])
def test_a_market_order_with_nothing_opposite_is_canceled(tif: str):
    venue = Venue()

    bought = venue.buy("carol", 100, tif=tif)
    sold = venue.sell("carol", 100, tif=tif)

    assert bought.canceled == (100, CancelReason.NO_LIQUIDITY)
    assert sold.canceled == (100, CancelReason.NO_LIQUIDITY)
    assert (venue.wallet("carol").holds, venue.wallet("carol").reserves) == ({}, {})


@pytest.mark.rule("MATCH-08")
def test_the_rest_of_a_market_sell_is_canceled_when_the_bids_are_taken():
    venue = Venue()
    venue.book("""
        bid   price   ask
        100    9.99
         50    0.01
    """)

    order = venue.sell("carol", 200)

    assert order.trades == [("9.99", 100), ("0.01", 50)]
    assert order.canceled == (50, CancelReason.NO_LIQUIDITY)
    assert venue.wallet("carol").reserves == {}


@pytest.mark.rule("MATCH-08")
def test_a_market_sell_stops_at_the_lower_limit_of_the_band():
    venue = Venue()
    venue.book("""
        bid   price   ask
        100    9.50
         50    9.49
    """)
    venue.change(price_band=500)

    order = venue.sell("carol", 200)

    assert order.trades == [("9.5", 100)]
    assert order.canceled == (100, CancelReason.PRICE_BAND)
    assert venue.wallet("carol").reserves == {}


@pytest.mark.rule("MATCH-09")
def test_a_market_buy_stops_at_the_collar_and_gets_its_hold_back():
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.51   100
              10.50   100
              10.00   100
    """)

    order = venue.buy("carol", 300)

    assert order.accepted.worst_price == 105_000
    assert order.trades == [("10", 100), ("10.5", 100)]
    assert order.canceled == (100, CancelReason.COLLAR)
    carol = venue.wallet("carol")
    assert (carol.held, carol.holds) == (0, {})


@pytest.mark.rule("MATCH-09")
def test_a_market_buy_stops_at_the_upper_limit_of_the_band():
    venue = Venue(price_band=300)
    venue.book("""
        bid   price   ask
              10.30   100
              10.20   100
    """)
    venue.change(price_band=200)

    order = venue.buy("carol", 300)

    assert order.accepted.worst_price == 102_000
    assert order.trades == [("10.2", 100)]
    assert order.canceled == (200, CancelReason.PRICE_BAND)


@pytest.mark.rule("MATCH-09")
def test_a_market_buy_buys_nothing_where_the_best_ask_is_beyond_the_band():
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.30   100
    """)
    venue.change(price_band=200)

    order = venue.buy("carol", 50)

    assert order.trades == []
    assert order.canceled == (50, CancelReason.PRICE_BAND)
    assert venue.wallet("carol").held == 0


@pytest.mark.rule("MATCH-09")
def test_a_market_buy_that_takes_every_ask_is_canceled_for_want_of_liquidity():
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.00   100
    """)

    order = venue.buy("carol", 300)

    assert order.canceled == (200, CancelReason.NO_LIQUIDITY)
    assert venue.wallet("carol").held == 0


@pytest.mark.rule("MATCH-10")
def test_an_ioc_order_fills_what_it_can_and_the_rest_is_canceled():
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 250, at="10.01", tif="ioc")

    assert order.trades == [("10.01", 100)]
    assert order.canceled == (150, CancelReason.IMMEDIATE_OR_CANCEL)
    assert venue.wallet("carol").held == 0
    venue.shows("""
        bid   price   ask
              10.02   300
        200    9.99
    """)


@pytest.mark.rule("MATCH-10")
def test_an_ioc_order_that_fills_whole_is_not_canceled():
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 100, at="10.01", tif="ioc")

    assert order.canceled is None
    assert venue.status(order) is OrderStatus.FILLED


@pytest.mark.rule("MATCH-11")
def test_a_fok_order_fills_whole_over_several_prices():
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 400, at="10.02", tif="fok")

    assert order.trades == [("10.01", 100), ("10.02", 300)]
    assert order.canceled is None


@pytest.mark.rule("MATCH-11")
@pytest.mark.parametrize("price", ["10.02", None])
def test_a_fok_order_that_does_not_fill_whole_touches_nothing(price: str | None):
    venue = Venue()
    venue.book(TWO_ASKS)

    order = venue.buy("carol", 401, at=price, tif="fok")

    assert order.trades == []
    assert order.canceled == (401, CancelReason.FILL_OR_KILL)
    assert venue.wallet("carol").held == 0
    venue.shows(TWO_ASKS)

"""docs/rules/markets.md: halts and days."""

import pytest

from domain.errors import (
    MarketHalted,
)
from domain.events.market import DayRolled, Halted, Listed, OrderExpired, Resumed
from domain.events.wallet import FundsReleased, SharesReleased
from domain.market import Market
from domain.vocabulary import OrderStatus, RejectReason
from tests.support.spec import META, Spec
from tests.support.venue import Venue, listing


def market() -> Spec[Market]:
    """A market whose first session is that of 2026-01-01."""
    return Spec(Market("ACME", [])).given(Listed(META, listing(), "2026-01-01"))


@pytest.mark.rule("HALT-01")
def test_a_halted_market_rejects_orders_until_it_resumes():
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.00   100
    """)

    venue.halt()
    halted = [venue.buy("alice", 10, at="10.00"), venue.sell("alice", 10)]
    venue.resume()

    for order in halted:
        assert order.rejected == (RejectReason.MARKET_HALTED, None)
    assert venue.buy("alice", 10, at="10.00").trades == [("10", 10)]


@pytest.mark.rule("HALT-02")
def test_in_a_halted_market_an_order_can_only_be_canceled():
    venue = Venue()
    order = venue.buy("alice", 100, at="10.00")

    venue.halt()

    with venue.refuses(MarketHalted, symbol="ACME"):
        venue.replace(order, quantity=50)
    venue.cancel(order)
    assert venue.status(order) is OrderStatus.CANCELED


@pytest.mark.rule("HALT-03")
def test_halting_and_resuming_are_recorded_once():
    halted = market().when(lambda m: m.halt("news", meta=META))
    assert halted.then(Halted(META, "news")).halted

    resumed = market().given(Halted(META, "news")).when(lambda m: m.resume(meta=META))
    assert not resumed.then(Resumed(META)).halted


@pytest.mark.rule("HALT-03")
def test_halting_a_halted_market_and_resuming_one_that_trades_change_nothing():
    market().when(lambda m: m.resume(meta=META)).then()
    market().given(Halted(META, "news")).when(
        lambda m: m.halt("other news", meta=META)
    ).then()


@pytest.mark.rule("DAY-01")
def test_the_last_trade_becomes_the_previous_close():
    venue = Venue()
    venue.book("""
        bid   price   ask
              10.02   100
              10.01   100
    """)
    venue.buy("alice", 150)

    (fact,) = venue.roll("2026-01-02")

    assert isinstance(fact, DayRolled)
    assert (fact.session_date, fact.previous_close) == ("2026-01-02", 100_200)
    assert venue.market.previous_close == 100_200


@pytest.mark.rule("DAY-01")
def test_the_close_stands_over_days_without_trades():
    venue = Venue()
    (first,) = venue.roll("2026-01-02")
    venue.book("""
        bid   price   ask
              10.01   100
    """)
    venue.buy("alice", 100)
    venue.roll("2026-01-03")

    (third,) = venue.roll("2026-01-04")

    assert isinstance(first, DayRolled)
    assert isinstance(third, DayRolled)
    assert (first.previous_close, third.previous_close) == (None, 100_100)


@pytest.mark.rule("DAY-01")
@pytest.mark.parametrize("session_date", ["2026-01-01", "2025-12-31"])
def test_a_day_rolls_once_and_never_back(session_date: str):
    venue = Venue()
    order = venue.buy("alice", 100, at="10.00", tif="day")

    assert venue.roll(session_date) == []
    assert venue.status(order) is OrderStatus.NEW
    market().when(lambda m: m.roll_day(session_date, meta=META)).then()


@pytest.mark.rule("DAY-02")
def test_day_orders_expire_and_the_others_stay():
    venue = Venue()
    bid = venue.buy("alice", 100, at="10.00", tif="day")
    ask = venue.sell("alice", 100, at="11.00", tif="day")
    venue.sell("bob", 30, at="10.00")
    venue.buy("bob", 50, at="10.00", tif="gtc")

    events = venue.roll("2026-01-02")

    assert [type(each) for each in events] == [
        OrderExpired,
        FundsReleased,
        OrderExpired,
        SharesReleased,
        DayRolled,
    ]
    assert {venue.status(bid), venue.status(ask)} == {OrderStatus.EXPIRED}
    venue.shows("""
        bid   price   ask
         50   10.00
    """)


@pytest.mark.rule("DAY-02")
@pytest.mark.parametrize(("tif", "left"), [("gtc", True), ("day", False)])
def test_a_replacement_expires_by_its_own_time_in_force(tif: str, left: bool):
    venue = Venue()
    order = venue.buy("alice", 100, at="10.00", tif="day" if left else "gtc")
    new = venue.replace(order, tif=tif)

    venue.roll("2026-01-02")

    assert (new.order_id in venue.market.book.orders) is left

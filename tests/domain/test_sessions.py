"""docs/rules/markets.md: halts and days are recorded once."""

import pytest

from benchmarks.opening import listing
from domain.events.market import Halted, Listed, Resumed
from domain.market.market import Market
from domain.vocabulary import OrderStatus
from tests.support.spec import META, Spec
from tests.support.venue import Venue


def market() -> Spec[Market]:
    """A market whose first session is that of 2026-01-01."""
    return Spec(Market("ACME", [])).given(Listed(META, listing(), "2026-01-01"))


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
@pytest.mark.parametrize("session_date", ["2026-01-01", "2025-12-31"])
def test_a_day_rolls_once_and_never_back(session_date: str):
    venue = Venue()
    order = venue.buy("alice", 100, at="10.00", tif="day")

    assert venue.roll(session_date) == []
    assert venue.status(order) is OrderStatus.NEW
    market().when(lambda m: m.roll_day(session_date, meta=META)).then()

"""docs/rules/matching.md: one order meets at most 500 resting orders."""

import pytest

from commands.state.exchange import Exchange
from domain.events.market import OrderCanceled, TradeExecuted
from domain.market.matching import MAKERS_MAX
from domain.vocabulary import CancelReason, OrderStatus
from tests.support.venue import Sent, Venue

TOO_MANY = CancelReason.TOO_MANY_FILLS


def venue_of(makers: int, *, levels: int = 1, maker: str = "bob") -> Venue:
    """Return a venue on which one account offers a share in each of its orders."""
    venue = Venue(taker_fee=3)
    venue.checks_refusals = False
    for number in range(makers):
        venue.sell(maker, 1, at=f"{10 + number % levels / 100:.2f}")
    return venue


def trades(sent: Sent) -> int:
    return sum(isinstance(each, TradeExecuted) for each in sent.events)


def end(sent: Sent) -> OrderCanceled:
    """Return the fact that ended the incoming order."""
    (fact,) = (
        each
        for each in sent.events
        if isinstance(each, OrderCanceled) and each.order_id == sent.order_id
    )
    return fact


@pytest.mark.rule("MATCH-14")
@pytest.mark.parametrize(
    ("at", "tif"), [("20", "gtc"), ("20", "day"), ("20", "ioc"), (None, None)]
)
def test_an_order_fills_500_times_and_the_rest_is_canceled(
    at: str | None, tif: str | None
):
    venue = venue_of(MAKERS_MAX + 1, levels=7)

    bought = venue.buy("alice", MAKERS_MAX + 5, at=at, tif=tif)

    assert trades(bought) == MAKERS_MAX
    assert (end(bought).reason, end(bought).quantity) == (TOO_MANY, 5)
    assert end(bought).resting_price is None
    assert venue.wallet("alice").held == 0
    assert venue.market.book.bids.best is None
    assert len(venue.market.book.orders) == 1


@pytest.mark.rule("MATCH-14")
def test_an_order_that_fills_with_the_500th_maker_is_filled():
    venue = venue_of(MAKERS_MAX + 1)

    bought = venue.buy("alice", MAKERS_MAX, at="10.00")

    assert venue.status(bought) is OrderStatus.FILLED


@pytest.mark.rule("MATCH-14")
def test_an_order_that_meets_500_makers_and_no_more_rests():
    venue = venue_of(MAKERS_MAX)

    bought = venue.buy("alice", MAKERS_MAX + 5, at="10.00")

    assert venue.status(bought) is OrderStatus.PARTIALLY_FILLED
    assert venue.market.book.bids.best == 100_000


@pytest.mark.rule("MATCH-14")
@pytest.mark.parametrize("levels", [1, MAKERS_MAX + 1])
def test_a_fok_that_needs_more_than_500_makers_is_killed(levels: int):
    venue = venue_of(MAKERS_MAX + 1, levels=levels)

    bought = venue.buy("alice", MAKERS_MAX + 1, at="20", tif="fok")

    assert trades(bought) == 0
    assert end(bought).reason is CancelReason.FILL_OR_KILL
    assert len(venue.market.book.orders) == MAKERS_MAX + 1


@pytest.mark.rule("MATCH-14")
def test_a_fok_that_needs_500_makers_fills():
    venue = venue_of(MAKERS_MAX + 1, levels=MAKERS_MAX + 1)

    bought = venue.buy("alice", MAKERS_MAX, at="20", tif="fok")

    assert venue.status(bought) is OrderStatus.FILLED


@pytest.mark.rule("MATCH-14")
def test_a_replacement_fills_500_times_and_the_rest_is_canceled():
    venue = venue_of(MAKERS_MAX + 1)
    resting = venue.buy("alice", MAKERS_MAX + 5, at="9.00")

    bought = venue.replace(resting, at="10.00")

    assert trades(bought) == MAKERS_MAX
    assert end(bought).reason is TOO_MANY
    assert venue.wallet("alice").open_orders == 0


@pytest.mark.rule("MATCH-14")
@pytest.mark.rule("STP-02")
def test_resting_orders_that_self_trade_prevention_cancels_count_too():
    venue = venue_of(MAKERS_MAX + 1, maker="alice")

    bought = venue.buy("alice", 5, at="10.00", stp="cancel_oldest")

    assert trades(bought) == 0
    assert (end(bought).reason, end(bought).quantity) == (TOO_MANY, 5)
    assert venue.wallet("alice").open_orders == 1


@pytest.mark.rule("COMMAND-08")
def test_a_log_with_more_fills_of_one_order_replays_to_the_same_state(
    monkeypatch: pytest.MonkeyPatch,
):
    # An older version recorded facts without the bound.
    monkeypatch.setattr("domain.market.matching.MAKERS_MAX", 10**9)
    venue = venue_of(MAKERS_MAX + 1)
    venue.buy("alice", MAKERS_MAX + 5, at="10.00")
    monkeypatch.undo()

    replayed = Exchange()
    replayed.replay(venue.facts)

    for stream, aggregate in venue.exchange.streams.items():
        assert replayed.streams[stream].freeze() == aggregate.freeze()


@pytest.mark.rule("MATCH-11")
def test_a_fok_counts_no_shares_beyond_its_limit():
    venue = venue_of(2, levels=2)

    bought = venue.buy("alice", 2, at="10.00", tif="fok")

    assert end(bought).reason is CancelReason.FILL_OR_KILL

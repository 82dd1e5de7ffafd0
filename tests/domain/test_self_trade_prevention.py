"""docs/rules/matching.md: two orders of one account never trade with each other."""

import pytest

from commands.messages import SetPreferences
from domain.vocabulary import CancelReason, OrderStatus, SelfTradePrevention
from tests.support.venue import Sent, Venue

SELF_TRADE = CancelReason.SELF_TRADE


def offers(venue: Venue) -> Sent:
    """Asks of alice, then of bob, who is about to buy, then of alice again."""
    venue.sell("alice", 100, at="10.01")
    own = venue.sell("bob", 100, at="10.02")
    venue.sell("alice", 100, at="10.03")
    return own


@pytest.mark.rule("STP-01")
@pytest.mark.parametrize("policy", list(SelfTradePrevention))
@pytest.mark.parametrize("tif", ["gtc", "ioc", "fok"])
def test_an_account_never_trades_with_itself(policy: str, tif: str):
    venue = Venue()
    offers(venue)

    order = venue.buy("bob", 200, at="10.03", tif=tif, stp=policy)

    assert "bob" not in order.makers


@pytest.mark.rule("STP-02")
def test_cancel_oldest_ends_the_resting_order_and_goes_on():
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 250, at="10.03", stp="cancel_oldest")

    assert order.trades == [("10.01", 100), ("10.03", 100)]
    assert order.ended == [(own.order_id, 100, SELF_TRADE)]
    assert venue.status(own) is OrderStatus.CANCELED
    assert venue.wallet("bob").reserves == {}
    venue.shows("""
        bid   price   ask
         50   10.03
    """)


@pytest.mark.rule("STP-02")
def test_cancel_oldest_spares_own_orders_that_are_not_met():
    venue = Venue()
    offers(venue)

    order = venue.buy("bob", 100, at="10.03", stp="cancel_oldest")

    assert order.ended == []


@pytest.mark.rule("STP-02")
def test_a_market_order_that_cancels_all_it_met_ends_for_want_of_liquidity():
    venue = Venue()
    own = venue.sell("bob", 100, at="10.02")

    order = venue.buy("bob", 50, stp="cancel_oldest")

    assert order.ended == [
        (own.order_id, 100, SELF_TRADE),
        (order.order_id, 50, CancelReason.NO_LIQUIDITY),
    ]


@pytest.mark.rule("STP-03")
@pytest.mark.parametrize("policy", ["cancel_newest", None])
def test_cancel_newest_ends_the_incoming_order_where_it_meets_its_own(
    policy: str | None,
):
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 250, at="10.03", stp=policy)

    assert order.trades == [("10.01", 100)]
    assert order.canceled == (150, SELF_TRADE)
    assert venue.status(own) is OrderStatus.NEW
    assert venue.wallet("bob").held == 0
    venue.shows("""
        bid   price   ask
              10.03   100
              10.02   100
    """)


@pytest.mark.rule("STP-04")
def test_cancel_both_ends_the_one_and_the_other():
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 250, at="10.03", stp="cancel_both")

    assert order.trades == [("10.01", 100)]
    assert order.ended == [
        (own.order_id, 100, SELF_TRADE),
        (order.order_id, 150, SELF_TRADE),
    ]
    venue.shows("""
        bid   price   ask
              10.03   100
    """)


@pytest.mark.rule("STP-05")
@pytest.mark.parametrize(
    ("policy", "canceled"), [(None, "own"), ("cancel_newest", "incoming")]
)
def test_an_orders_policy_goes_before_the_accounts(policy: str | None, canceled: str):
    venue = Venue()
    own = offers(venue)
    oldest = SelfTradePrevention.CANCEL_OLDEST
    venue.tell(SetPreferences(venue.meta(), "bob", oldest))

    order = venue.buy("bob", 250, at="10.03", stp=policy)

    ids = {"own": own.order_id, "incoming": order.order_id}
    assert [each for each, _, _ in order.ended] == [ids[canceled]]


@pytest.mark.rule("STP-05")
def test_a_replacement_keeps_the_policy_of_the_order():
    venue = Venue()
    own = offers(venue)
    order = venue.buy("bob", 250, at="9.00", stp="cancel_oldest")

    new = venue.replace(order, at="10.03")

    assert new.trades == [("10.01", 100), ("10.03", 100)]
    assert new.ended == [(own.order_id, 100, SELF_TRADE)]


@pytest.mark.rule("STP-03")
def test_a_replacement_ends_where_it_meets_its_own():
    venue = Venue()
    offers(venue)
    order = venue.buy("bob", 250, at="9.00")

    new = venue.replace(order, at="10.03")

    assert new.trades == [("10.01", 100)]
    assert new.canceled == (150, SELF_TRADE)
    assert venue.wallet("bob").held == 0


@pytest.mark.rule("STP-06")
@pytest.mark.parametrize("policy", ["cancel_newest", "cancel_both"])
def test_a_fok_order_that_its_policy_would_end_touches_nothing(policy: str):
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 200, at="10.03", tif="fok", stp=policy)

    assert order.ended == [(order.order_id, 200, CancelReason.FILL_OR_KILL)]
    assert venue.status(own) is OrderStatus.NEW


@pytest.mark.rule("STP-06")
def test_a_fok_order_that_others_fill_whole_cancels_its_own_on_the_way():
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 200, at="10.03", tif="fok", stp="cancel_oldest")

    assert order.trades == [("10.01", 100), ("10.03", 100)]
    assert order.ended == [(own.order_id, 100, SELF_TRADE)]


@pytest.mark.rule("STP-06")
def test_a_fok_order_that_others_do_not_fill_spares_its_own():
    venue = Venue()
    own = offers(venue)

    order = venue.buy("bob", 201, at="10.03", tif="fok", stp="cancel_oldest")

    assert order.ended == [(order.order_id, 201, CancelReason.FILL_OR_KILL)]
    assert venue.status(own) is OrderStatus.NEW

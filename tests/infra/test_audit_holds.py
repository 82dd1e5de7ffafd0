"""An audit follows the ids in each fact, and the purpose of each hold."""

import pytest

from domain.events.event import Event
from domain.events.market import OrderAccepted, TradeExecuted
from domain.events.wallet import FundsHeld, TradeSettled
from domain.money import dollars
from domain.vocabulary import HoldPurpose
from tests.infra.forged_logs import audit_of, changed, failed
from tests.support.facts import of_command
from tests.support.venue import Venue


def test_a_command_with_several_takers_is_sound(database_url: str):
    venue = Venue(maker_fee=3, taker_fee=7)
    venue.sell("maker", 50, at="10.00")
    alone = len(venue.facts)
    for name in ("alice", "bob"):
        venue.buy(name, 20, at="10.00")
    venue.sell("carol", 20, at="9.00", tif="ioc")
    facts = list(venue.facts)
    for place in range(alone, len(facts)):
        facts[place] = of_command("one command", facts[place])

    report = audit_of(database_url, facts)

    takers = {
        fact.event.taker_order_id
        for fact in facts[alone:]
        if isinstance(fact.event, TradeExecuted)
    }
    assert len(takers) == 2
    assert report.violations == []


def test_cash_held_for_a_withdrawal_is_sound_and_backs_no_order(database_url: str):
    venue = Venue()
    venue.trader("alice", cash="1000")
    bid = venue.buy("alice", 10, at="10.00")
    payout = HoldPurpose.WITHDRAWAL
    alice = venue.wallet("alice")
    alice.hold("payout", amount=dollars(800), purpose=payout, meta=venue.meta())
    alice.hold("another", amount=1, purpose=payout, meta=venue.meta())
    alice.release("another", meta=venue.meta())
    venue.record(alice.outbox)
    alice.outbox.clear()
    venue.cancel(bid)

    assert audit_of(database_url, venue.facts).violations == []


@pytest.mark.parametrize("event_type", [OrderAccepted, TradeSettled])
def test_an_order_that_only_a_withdrawal_backs_is_seen(
    event_type: type[Event], database_url: str
):
    venue = Venue()
    venue.buy("alice", 10, at="10.00")
    if event_type is TradeSettled:
        venue.sell("bob", 10, at="10.00")
    payout = HoldPurpose.WITHDRAWAL

    report = audit_of(database_url, changed(FundsHeld, purpose=payout)(venue.facts))

    assert "holds" in failed(report)

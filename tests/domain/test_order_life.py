"""docs/rules/orders.md: the facts of an order's life that no market shows.

tests/scenarios/ORDER-*.txt show the rules.
"""

import pytest

from commands.messages import (
    CancelAllOrders,
    CancelForOwner,
)
from domain.errors import NotFound, NothingToReplace, OrderDone
from domain.events.market import OrderCanceled, OrderReplaced
from domain.events.wallet import FundsHeld
from domain.market.order import TRANSITIONS
from domain.vocabulary import CancelReason, HoldPurpose, OrderStatus
from tests.support.tickets import ticket, venue_with_alice
from tests.support.venue import Venue


@pytest.mark.rule("ORDER-08")
@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REPLACED,
        OrderStatus.REJECTED,
    ],
)
def test_nothing_follows_a_final_state(status: OrderStatus):
    assert TRANSITIONS[status] == frozenset()


@pytest.mark.rule("ORDER-08")
def test_every_state_is_in_the_table_of_transitions():
    assert TRANSITIONS.keys() == set(OrderStatus)


@pytest.mark.rule("ORDER-10")
def test_an_administrator_cancels_any_order_and_says_why():
    venue = venue_with_alice()
    sent = venue.place(ticket())

    (fact, _) = venue.tell(CancelForOwner(venue.meta(), sent.order_id, "by mistake"))

    assert isinstance(fact, OrderCanceled)
    assert (fact.reason, fact.note) == (CancelReason.ADMINISTRATIVE, "by mistake")
    with venue.refuses(NotFound):
        venue.tell(CancelForOwner(venue.meta(), "no such order", ""))


@pytest.mark.rule("ORDER-12")
def test_cancel_all_of_one_instrument_leaves_the_others():
    venue = venue_with_alice()
    venue.list_asset("OTHER")
    acme = venue.place(ticket())
    other = venue.place(ticket(order_id="o", client_order_id="o", symbol="OTHER"))

    venue.tell(CancelAllOrders(venue.meta(), "alice", ("ACME",)))

    assert venue.status(acme) is OrderStatus.CANCELED
    assert list(venue.wallet("alice").holds) == [other.order_id]


@pytest.mark.rule("ORDER-12")
@pytest.mark.rule("WALLET-10")
def test_cancel_all_leaves_what_is_held_for_a_withdrawal():
    venue = venue_with_alice()
    bid = venue.place(ticket())
    alice = venue.wallet("alice")
    alice.replay(FundsHeld(venue.meta(), "payout", 50, 0, HoldPurpose.WITHDRAWAL))

    venue.tell(CancelAllOrders(venue.meta(), "alice"))

    assert venue.status(bid) is OrderStatus.CANCELED
    assert (alice.held, list(alice.holds)) == (50, ["payout"])


@pytest.mark.rule("ORDER-11")
def test_a_refusal_names_the_final_state():
    venue = venue_with_alice()
    sent = venue.place(ticket())
    venue.cancel(sent)

    with venue.refuses(OrderDone, status="canceled"):
        venue.cancel(sent)


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

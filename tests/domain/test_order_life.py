"""docs/rules/orders.md: what becomes of an order, and who may end it."""

import pytest

from commands.messages import (
    CancelAllOrders,
    CancelForOwner,
    CancelOrder,
    PlaceOrder,
    SetPreferences,
)
from domain.errors import (
    NotFound,
    OffTick,
    OrderDone,
    TradingSuspended,
)
from domain.events.market import OrderCanceled, OrderRejected
from domain.order import TRANSITIONS
from domain.vocabulary import (
    CancelReason,
    OrderStatus,
    RejectReason,
)
from tests.support.tickets import ticket, venue_with_alice
from tests.support.venue import Sent, Venue


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
def test_the_owner_cancels_an_order():
    venue = venue_with_alice()
    sent = venue.place(ticket())

    (fact, _) = venue.cancel(sent)

    assert isinstance(fact, OrderCanceled)
    assert (fact.reason, fact.quantity) == (CancelReason.REQUESTED, 100)
    assert venue.status(sent) is OrderStatus.CANCELED
    venue.shows("bid price ask")


@pytest.mark.rule("ORDER-10")
def test_an_order_from_the_middle_of_a_queue_can_be_canceled():
    venue = Venue()
    orders = [venue.buy(name, 10, at="10.00") for name in ("a", "b", "c")]
    venue.buy("d", 10, at="9.00")

    venue.cancel(orders[1])

    venue.shows("""
        bid     price   ask
        10+10   10.00
           10    9.00
    """)


@pytest.mark.rule("ORDER-10")
def test_another_accounts_order_is_not_there():
    venue = venue_with_alice()
    venue.trader("bob")
    sent = venue.place(ticket())

    with venue.refuses(NotFound):
        venue.cancel(sent, by="bob")
    with venue.refuses(NotFound):
        venue.tell(CancelOrder(venue.meta(), "alice", "no such order"))


@pytest.mark.rule("ORDER-10")
def test_an_administrator_cancels_any_order_and_says_why():
    venue = venue_with_alice()
    sent = venue.place(ticket())

    (fact, _) = venue.tell(CancelForOwner(venue.meta(), sent.order_id, "by mistake"))

    assert isinstance(fact, OrderCanceled)
    assert (fact.reason, fact.note) == (CancelReason.ADMINISTRATIVE, "by mistake")
    with venue.refuses(NotFound):
        venue.tell(CancelForOwner(venue.meta(), "no such order", ""))


def ended_orders(venue: Venue) -> dict[str, Sent]:
    """One order in each final state."""
    replaced = venue.sell("alice", 10, at="11.00")
    venue.replace(replaced, quantity=5)
    filled = venue.sell("alice", 10, at="10.00")
    venue.buy("bob", 10, at="10.00")
    canceled = venue.sell("alice", 10, at="12.00")
    venue.cancel(canceled)
    expired = venue.sell("alice", 10, at="13.00", tif="day")
    venue.roll("2026-01-02")
    venue.halt()
    rejected = venue.sell("alice", 10, at="14.00")
    venue.resume()
    return {
        "replaced": replaced,
        "filled": filled,
        "canceled": canceled,
        "expired": expired,
        "rejected": rejected,
    }


@pytest.mark.rule("ORDER-11")
@pytest.mark.parametrize(
    "status", ["replaced", "filled", "canceled", "expired", "rejected"]
)
def test_an_order_that_ended_can_be_neither_canceled_nor_replaced(status: str):
    venue = venue_with_alice()
    sent = ended_orders(venue)[status]

    assert venue.status(sent) == status
    with venue.refuses(OrderDone, status=status):
        venue.cancel(sent)
    with venue.refuses(OrderDone, status=status):
        venue.replace(sent, quantity=5)
    with venue.refuses(OrderDone, status=status):
        venue.tell(CancelForOwner(venue.meta(), sent.order_id, ""))


@pytest.mark.rule("ORDER-12")
def test_cancel_all_ends_every_open_order_of_the_account():
    venue = venue_with_alice()
    orders = [venue.buy("alice", 10, at="9.00"), venue.sell("alice", 10, at="11.00")]
    venue.buy("bob", 10, at="9.00")

    venue.tell(CancelAllOrders(venue.meta(), "alice"))

    assert {venue.status(each) for each in orders} == {OrderStatus.CANCELED}
    alice = venue.wallet("alice")
    assert (alice.held, alice.holds, alice.reserves) == (0, {}, {})
    venue.shows("""
        bid   price   ask
         10    9.00
    """)


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
def test_cancel_all_without_open_orders_records_nothing():
    venue = venue_with_alice()

    assert venue.tell(CancelAllOrders(venue.meta(), "alice")) == []


@pytest.mark.rule("ORDER-13")
def test_a_suspended_account_can_only_cancel():
    venue = venue_with_alice()
    sent = venue.place(ticket())
    venue.tell(SetPreferences(venue.meta(), "alice", suspend_trade=True))

    with venue.refuses(TradingSuspended):
        venue.buy("alice", 10, at="9.00")
    with venue.refuses(TradingSuspended):
        venue.replace(sent, quantity=50)
    assert venue.status(sent) is OrderStatus.NEW
    venue.cancel(sent)
    assert venue.status(sent) is OrderStatus.CANCELED


@pytest.mark.rule("ORDER-13")
def test_a_suspended_accounts_resting_order_still_trades():
    venue = venue_with_alice()
    venue.place(ticket())
    venue.tell(SetPreferences(venue.meta(), "alice", suspend_trade=True))

    assert venue.sell("bob", 100, at="10.00").makers == ["alice"]


@pytest.mark.rule("ORDER-13")
def test_an_account_that_is_no_longer_suspended_trades_again():
    venue = venue_with_alice()
    venue.tell(SetPreferences(venue.meta(), "alice", suspend_trade=True))
    venue.tell(SetPreferences(venue.meta(), "alice", suspend_trade=False))

    assert venue.buy("alice", 10, at="9.00").accepted


@pytest.mark.rule("ORDER-14")
def test_a_rejected_order_is_on_record_and_holds_nothing():
    venue = venue_with_alice()
    venue.halt()

    bought = venue.buy("alice", 100, at="10.00")
    sold = venue.sell("alice", 100, at="10.00")

    assert [type(each) for each in bought.events + sold.events] == [OrderRejected] * 2
    assert venue.status(bought) is OrderStatus.REJECTED
    alice = venue.wallet("alice")
    assert (alice.held, alice.holds, alice.reserves) == (0, {}, {})


@pytest.mark.rule("ORDER-14")
def test_a_halt_is_told_before_a_broken_band():
    venue = venue_with_alice(price_band=500)
    venue.halt()

    order = venue.buy("alice", 100, at="20.00")

    assert order.rejected == (RejectReason.MARKET_HALTED, None)


@pytest.mark.rule("ORDER-14")
def test_an_order_that_makes_no_sense_is_refused_before_the_market_says_no():
    venue = venue_with_alice()
    venue.halt()

    with venue.refuses(OffTick):
        venue.tell(PlaceOrder(venue.meta(), ticket(limit_price=100_001)))

"""docs/rules/orders.md: an account has at most as many open orders as its cap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.messages import CapOpenOrders
from domain.errors import InvalidOrder, TooManyOpenOrders
from domain.events.wallet import OpenOrderCapSet
from domain.vocabulary import OrderStatus
from tests.support.venue import Sent, Venue


def capped(most: int) -> Venue:
    """Return a venue on which alice may have this many open orders."""
    venue = Venue()
    venue.present("alice")
    venue.tell(CapOpenOrders(venue.meta(), "alice", most))
    return venue


def open_orders(venue: Venue, name: str) -> int:
    """Count an account's open orders in the index of orders."""
    accounts = venue.exchange.orders.accounts
    entries = accounts[name].entries.values() if name in accounts else ()
    return sum(entry.status is OrderStatus.NEW for entry in entries)


@pytest.mark.rule("ORDER-15")
def test_an_order_beyond_the_cap_is_refused_on_both_sides():
    venue = capped(2)
    venue.buy("alice", 10, at="9.00")
    venue.sell("alice", 10, at="11.00")

    with venue.refuses(TooManyOpenOrders, max_open_orders=2):
        venue.buy("alice", 10, at="9.00")
    with venue.refuses(TooManyOpenOrders):
        venue.sell("alice", 10, at="11.00", tif="day")


@pytest.mark.rule("ORDER-15")
def test_a_limit_order_that_would_fill_at_once_needs_room_too():
    venue = capped(1)
    venue.sell("bob", 10, at="10.00")
    venue.buy("alice", 10, at="9.00")

    with venue.refuses(TooManyOpenOrders):
        venue.buy("alice", 10, at="10.00")


@pytest.mark.rule("ORDER-15")
@pytest.mark.parametrize(("at", "tif"), [(None, None), ("9", "ioc"), ("9", "fok")])
def test_an_order_that_cannot_rest_needs_no_room(at: str | None, tif: str | None):
    venue = capped(1)
    venue.buy("bob", 10, at="9.00")
    venue.sell("alice", 10, at="11.00")

    sold = venue.sell("alice", 10, at=at, tif=tif)

    assert venue.status(sold) is OrderStatus.FILLED


@pytest.mark.rule("ORDER-15")
def test_a_replacement_needs_no_room():
    venue = capped(1)
    order = venue.buy("alice", 10, at="9.00")

    replacement = venue.replace(order, at="9.01", quantity=20)

    assert venue.status(replacement) is OrderStatus.NEW
    assert venue.wallet("alice").open_orders == 1


@pytest.mark.rule("ORDER-15")
def test_an_order_that_ends_makes_room():
    venue = capped(1)
    order = venue.buy("alice", 10, at="9.00")

    venue.cancel(order)

    venue.buy("alice", 10, at="9.00")


@pytest.mark.rule("ORDER-15")
def test_a_lower_cap_ends_no_order_and_the_same_cap_records_nothing():
    venue = capped(2)
    venue.buy("alice", 10, at="9.00")
    kept = venue.buy("alice", 10, at="9.00")

    facts = venue.tell(lower := CapOpenOrders(venue.meta(), "alice", 1))
    again = venue.tell(CapOpenOrders(venue.meta(), "alice", 1))

    assert facts == [OpenOrderCapSet(lower.meta, 1)]
    assert again == []
    assert venue.status(kept) is OrderStatus.NEW
    with venue.refuses(TooManyOpenOrders):
        venue.buy("alice", 10, at="9.00")


@pytest.mark.rule("ORDER-15")
@pytest.mark.parametrize("most", [-1, 1_000_001])
def test_a_cap_is_from_0_to_a_million(most: int):
    venue = capped(1)

    with venue.refuses(InvalidOrder, field="max_open_orders"):
        venue.tell(CapOpenOrders(venue.meta(), "alice", most))


@pytest.mark.rule("ORDER-15")
def test_an_account_begins_with_2000_open_orders():
    venue = Venue()
    venue.checks_refusals = False
    for _ in range(2_000):
        venue.buy("alice", 1, at="1.00")

    with venue.refuses(TooManyOpenOrders, max_open_orders=2_000):
        venue.buy("alice", 1, at="1.00")


ORDERS = st.tuples(
    st.sampled_from(["alice", "bob"]),
    st.sampled_from(["buy", "sell", "cancel", "replace"]),
    st.sampled_from([None, "9.90", "10.00", "10.10"]),
    st.integers(1, 30),
    st.sampled_from(["day", "gtc", "ioc", "fok"]),
)


@pytest.mark.rule("ORDER-15")
@pytest.mark.rule("WALLET-07")
@given(st.lists(ORDERS, max_size=40))
@settings(max_examples=40, deadline=None)
def test_each_open_order_has_one_hold_or_reserve_and_is_counted(
    actions: list[tuple[str, str, str | None, int, str]],
):
    venue = Venue()
    venue.present("alice")
    venue.present("bob")
    resting: dict[str, list[Sent]] = {"alice": [], "bob": []}
    for name, kind, at, quantity, tif in actions:
        live = [each for each in resting[name] if venue.status(each) == "new"]
        if kind == "buy":
            sent = venue.buy(name, quantity, at=at, tif=tif, stp="cancel_oldest")
        elif kind == "sell":
            sent = venue.sell(name, quantity, at=at, tif=tif, stp="cancel_both")
        elif not live:
            continue
        elif kind == "cancel":
            venue.cancel(live[0])
            continue
        else:
            sent = venue.replace(live[0], quantity=quantity, at=at)
        resting[name].append(sent)

    for name in ("alice", "bob"):
        wallet = venue.wallet(name)
        assert wallet.open_orders == open_orders(venue, name)
        assert wallet.open_orders == len(wallet.holds) + len(wallet.reserves)

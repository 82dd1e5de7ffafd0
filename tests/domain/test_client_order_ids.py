"""docs/rules/orders.md: a client order id names one order of an account."""

import pytest

from commands.state.register import Repeated
from tests.support.tickets import ticket, venue_with_alice
from tests.support.venue import Venue


def repeated_order(venue: Venue, **terms: str) -> str:
    """Send a ticket whose client order id is known; return the order that it names."""
    with pytest.raises(Repeated) as repeated:
        venue.place(ticket(**terms))
    return repeated.value.order_id


@pytest.mark.rule("ORDER-09")
def test_a_client_order_id_sent_again_names_the_first_order():
    venue = venue_with_alice()
    venue.place(ticket())

    assert repeated_order(venue, order_id="order-2") == "order-1"


@pytest.mark.rule("ORDER-09")
def test_an_order_without_a_client_order_id_is_named_by_its_order_id():
    venue = venue_with_alice()
    venue.place(ticket(client_order_id="order-1"))

    known = repeated_order(venue, order_id="order-2", client_order_id="order-1")

    assert known == "order-1"


@pytest.mark.rule("ORDER-09")
def test_the_order_id_of_a_named_order_is_free_as_a_client_order_id():
    venue = venue_with_alice()
    venue.place(ticket())

    other = venue.place(ticket(order_id="order-2", client_order_id="order-1"))

    assert other.accepted.client_order_id == "order-1"


@pytest.mark.rule("ORDER-09")
def test_a_client_order_id_is_one_accounts_own():
    venue = venue_with_alice()
    venue.trader("bob", cash="10000")
    venue.place(ticket())

    other = venue.place(ticket(order_id="order-2", account_id="bob"))

    assert other.accepted.account_id == "bob"


@pytest.mark.rule("ORDER-09")
def test_the_client_order_id_of_an_order_that_ended_is_still_taken():
    venue = venue_with_alice()
    venue.cancel(venue.place(ticket()))

    assert repeated_order(venue, order_id="order-2") == "order-1"


@pytest.mark.rule("ORDER-09")
def test_a_rejected_order_repeats_too():
    venue = venue_with_alice()
    venue.halt()
    venue.place(ticket())
    venue.resume()

    assert repeated_order(venue, order_id="order-2") == "order-1"


@pytest.mark.rule("ORDER-09")
def test_a_replacement_sent_again_repeats():
    venue = venue_with_alice()
    first = venue.place(ticket())
    new = venue.replace(first, quantity=50, client_id="again")

    with pytest.raises(Repeated) as repeated:
        venue.replace(first, quantity=50, client_id="again")

    assert repeated.value.order_id == new.order_id


@pytest.mark.rule("ORDER-09")
def test_an_order_and_a_replacement_cannot_share_a_client_order_id():
    venue = venue_with_alice()
    venue.place(ticket())
    other = venue.place(ticket(order_id="order-2", client_order_id="other"))
    new = venue.replace(other, quantity=50, client_id="third")

    with pytest.raises(Repeated) as as_replacement:
        venue.replace(new, quantity=40, client_id="my order")

    assert as_replacement.value.order_id == "order-1"
    third = repeated_order(venue, order_id="order-3", client_order_id="third")
    assert third == new.order_id

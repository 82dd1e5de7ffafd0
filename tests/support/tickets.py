"""Order tickets that differ from an ordinary one in the terms under test."""

from typing import Any

from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce
from tests.support.venue import Venue


def ticket(**terms: Any) -> Ticket:
    """Return a ticket to buy 100 ACME at 10.00; `terms` override this."""
    given: dict[str, Any] = {
        "order_id": "order-1",
        "client_order_id": "my order",
        "account_id": "alice",
        "symbol": "ACME",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": 100,
        "limit_price": 100_000,
        **terms,
    }
    return Ticket(**given)


def venue_with_alice(**terms: Any) -> Venue:
    """Return a venue on which alice has 100,000 dollars and 1,000 shares."""
    venue = Venue(**terms)
    venue.trader("alice", cash="100000", shares=1_000)
    return venue

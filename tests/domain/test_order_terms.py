"""docs/rules/orders.md: which term of an order a refusal names.

tests/scenarios/ORDER-*.txt show the rules.
"""

from typing import Any

import pytest

from domain.errors import InvalidOrder, NotFound, OffLot, OffTick, UnknownSymbol
from domain.vocabulary import OrderType
from tests.support.tickets import ticket, venue_with_alice


@pytest.mark.rule("ORDER-01")
@pytest.mark.rule("ORDER-02")
@pytest.mark.parametrize(
    ("terms", "kind", "fact"),
    [
        ({"quantity": 0}, InvalidOrder, {"field": "qty"}),
        ({"quantity": -1}, InvalidOrder, {"field": "qty"}),
        ({"limit_price": 0}, InvalidOrder, {"field": "limit_price"}),
        ({"limit_price": None}, InvalidOrder, {"field": "limit_price"}),
        ({"order_type": OrderType.MARKET}, InvalidOrder, {"field": "limit_price"}),
        ({"limit_price": 100_001}, OffTick, {"tick_size": "0.01"}),
        ({"quantity": 105}, OffLot, {"lot_size": "10"}),
        ({"account_id": "nobody"}, NotFound, {}),
    ],
    ids=str,
)
def test_a_refusal_names_the_term(
    terms: dict[str, Any], kind: type[InvalidOrder], fact: dict[str, str]
):
    venue = venue_with_alice(lot_size=10)

    with venue.refuses(kind, **fact):
        venue.place(ticket(**terms))


@pytest.mark.rule("ORDER-06")
def test_an_order_for_what_is_not_listed_is_refused():
    venue = venue_with_alice()

    with venue.refuses(UnknownSymbol, symbol="NONE"):
        venue.place(ticket(symbol="NONE"))

"""A price level drops the orders that left, and keeps the order of the others."""

import pytest

from domain.events.market import TradeExecuted
from tests.support.venue import Venue


@pytest.mark.rule("MATCH-02")
def test_a_queue_that_most_orders_left_keeps_its_order():
    venue = Venue()
    orders = [venue.sell(f"t{number}", 1, at="10.01") for number in range(50)]
    for order in orders[1:45]:
        venue.cancel(order)

    events = venue.buy("carol", 10, at="10.01").events

    trades = [each for each in events if isinstance(each, TradeExecuted)]
    makers = [each.maker_account_id for each in trades]
    assert makers == ["t0", "t45", "t46", "t47", "t48", "t49"]

"""Which orders of a flow are open at the venue, and the flow's name of each."""

from collections.abc import Sequence

import msgspec

from domain.ids import OrderId
from domain.money import NO_SHARES, Quantity
from infra.replay.orderflow import ExpectedFill, FlowId, Reduce


class Standing(msgspec.Struct):
    """An open order of the flow. A reduction gives it a new id."""

    order_id: OrderId
    quantity: Quantity
    filled: Quantity = NO_SHARES


class FlowOrders:
    """The open orders of a flow, each with its id and its total at the venue."""

    def __init__(self) -> None:
        self._open: dict[FlowId, Standing] = {}
        self._flow_ids: dict[OrderId, FlowId] = {}

    def enter(self, flow_id: FlowId, order_id: OrderId, quantity: Quantity) -> None:
        self._open[flow_id] = Standing(order_id, quantity)
        self._flow_ids[order_id] = flow_id

    def order_id(self, flow_id: FlowId) -> OrderId | None:
        standing = self._open.get(flow_id)
        return None if standing is None else standing.order_id

    def flow_id(self, order_id: OrderId | None) -> FlowId | None:
        """Return the flow's name of an order, also after the order ended."""
        return None if order_id is None else self._flow_ids.get(order_id)

    def remove(self, flow_id: FlowId) -> OrderId | None:
        standing = self._open.pop(flow_id, None)
        return None if standing is None else standing.order_id

    def reduced(self, reduce: Reduce) -> Quantity:
        """Return the new total of an order, 0 if nothing would be left of it."""
        standing = self._open.get(reduce.flow_id)
        if standing is None:
            return NO_SHARES
        total = standing.quantity - reduce.size
        return total if total > standing.filled else NO_SHARES

    def replaced(self, flow_id: FlowId, order_id: OrderId, total: Quantity) -> None:
        standing = self._open[flow_id]
        standing.order_id = order_id
        standing.quantity = total
        self._flow_ids[order_id] = flow_id

    def fill(self, fills: Sequence[ExpectedFill]) -> None:
        """Count what a recorded aggressive order filled."""
        for fill in fills:
            standing = self._open.get(fill.maker)
            if standing is not None:
                standing.filled += fill.size
                if standing.filled >= standing.quantity:
                    del self._open[fill.maker]

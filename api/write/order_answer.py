"""The answer to a command about an order: a pure function of the command's facts.

The answer shows the order after the facts that name it, as maker or as taker.
"""

from collections.abc import Iterable

from api.wire.order import Order
from api.wire.text import average, instant, optional
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Recorded
from domain.ids import AssetId, OrderId, Symbol, symbol_of
from domain.money import NO_MONEY, NO_SHARES, Money, Quantity
from domain.vocabulary import OrderStatus

_NEW, _PARTIAL, _FILLED, _REJECTED = (
    OrderStatus.NEW,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.REJECTED,
)


def symbol_in(facts: Iterable[Recorded]) -> Symbol:
    """Return the symbol of the first order in these facts."""
    for recorded in facts:
        if isinstance(recorded.event, OrderAccepted | OrderRejected | OrderReplaced):
            return symbol_of(recorded.stream)
    raise AssertionError("no fact of this command begins an order")


def order_answer(
    facts: Iterable[Recorded], symbol: Symbol, asset_id: AssetId | None
) -> Order:
    """Return the first order in these facts, with the fills and the end that follow."""
    order: Order | None = None
    order_id = ""
    filled = quantity = NO_SHARES
    notional = NO_MONEY
    for recorded in facts:
        event = recorded.event
        kind = type(event)
        if kind is TradeExecuted:
            assert isinstance(event, TradeExecuted)
            if order_id in (event.taker_order_id, event.maker_order_id):
                filled += event.quantity
                notional += event.price * event.quantity
        elif kind is OrderCanceled:
            assert isinstance(event, OrderCanceled)
            if order is not None and event.order_id == order_id:
                _cancel(order, event)
        elif order is not None:
            # A later order of the same command has its own answer.
            continue
        elif kind is OrderAccepted:
            assert isinstance(event, OrderAccepted)
            order_id = event.order_id
            order = _order(event, order_id, _NEW, symbol, asset_id)
            quantity = event.quantity
        elif kind is OrderRejected:
            assert isinstance(event, OrderRejected)
            order_id = event.order_id
            order = _order(event, order_id, _REJECTED, symbol, asset_id)
            order.failed_at = order.created_at
            order.reject_reason = event.reason
            order.reject_bound = optional(event.bound)
        elif kind is OrderReplaced:
            assert isinstance(event, OrderReplaced)
            order_id = event.replaced_by
            order = _order(event, order_id, _NEW, symbol, asset_id)
            order.replaces = event.order_id
            filled, notional = event.filled, event.filled_notional
            quantity = event.quantity
    assert order is not None, "no fact of this command begins an order"
    if filled:
        _fill(order, filled, notional, quantity)
    return order


def _fill(order: Order, filled: Quantity, notional: Money, quantity: Quantity) -> None:
    order.filled_qty = str(filled)
    order.filled_avg_price = average(notional, filled)
    if filled == quantity:
        order.status, order.filled_at = _FILLED, order.updated_at
    elif order.status is _NEW:
        order.status = _PARTIAL


def _order(
    event: OrderAccepted | OrderReplaced | OrderRejected,
    order_id: OrderId,
    status: OrderStatus,
    symbol: Symbol,
    asset_id: AssetId | None,
) -> Order:
    """Return an order before its first fill."""
    at = instant(event.meta.at)
    return Order(
        order_id,
        event.client_order_id,
        at,
        at,
        at,
        asset_id,
        symbol,
        str(event.quantity),
        event.side,
        event.order_type,
        event.order_type,
        event.time_in_force,
        optional(event.limit_price),
        status,
        event.self_trade_prevention,
    )


def _cancel(order: Order, event: OrderCanceled) -> None:
    order.status = OrderStatus.CANCELED
    order.canceled_at = order.updated_at
    order.cancel_reason = event.reason

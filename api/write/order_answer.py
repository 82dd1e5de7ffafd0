"""The answer to a command about an order: a pure function of the command's facts.

It shows the order as it stands after those facts, whatever has happened since; so the
same command sent again gets the same answer, read from the log.
"""

from collections.abc import Iterable

from api.schemas import Order
from api.wire_text import average, instant, optional
from domain.events import (
    AnyEvent,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import AssetId, Symbol
from domain.money import text
from domain.vocabulary import OrderStatus

_NEW, _PARTIAL, _FILLED = (
    OrderStatus.NEW,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
)


def order_answer(
    events: Iterable[AnyEvent], symbol: Symbol, asset_id: AssetId
) -> Order:
    """The order that these facts of one command brought in."""
    order: Order | None = None
    order_id = ""
    filled = notional = quantity = 0
    for event in events:
        kind = type(event)
        if kind is OrderAccepted:
            assert isinstance(event, OrderAccepted)
            order, order_id = _accepted(event, symbol, asset_id), event.order_id
            quantity = event.quantity
        elif kind is TradeExecuted:
            assert isinstance(event, TradeExecuted)
            filled += event.quantity
            notional += event.price * event.quantity
        elif kind is OrderCanceled:
            assert isinstance(event, OrderCanceled)
            if order is not None and event.order_id == order_id:
                _cancel(order, event)
        elif kind is OrderRejected:
            assert isinstance(event, OrderRejected)
            return _rejected(event, symbol, asset_id)
        elif kind is OrderReplaced:
            assert isinstance(event, OrderReplaced)
            order, order_id = _replaced(event, symbol, asset_id), event.replaced_by
            filled, notional = event.filled, event.filled_notional
            quantity = event.quantity
    assert order is not None, "the facts are those of a command about an order"
    if filled:
        _fill(order, filled, notional, quantity)
    return order


def _fill(order: Order, filled: int, notional: int, quantity: int) -> None:
    order.filled_qty = str(filled)
    order.filled_avg_price = average(notional, filled)
    if filled == quantity:
        order.status, order.filled_at = _FILLED, order.updated_at
    elif order.status is _NEW:
        order.status = _PARTIAL


def _accepted(event: OrderAccepted, symbol: Symbol, asset_id: AssetId) -> Order:
    at = instant(event.meta.at)
    price = event.limit_price
    return Order(
        event.order_id,
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
        None if price is None else text(price),
        _NEW,
        event.self_trade_prevention,
    )


def _replaced(event: OrderReplaced, symbol: Symbol, asset_id: AssetId) -> Order:
    at = instant(event.meta.at)
    return Order(
        event.replaced_by,
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
        text(event.limit_price),
        _NEW,
        event.self_trade_prevention,
        replaces=event.order_id,
    )


def _rejected(event: OrderRejected, symbol: Symbol, asset_id: AssetId) -> Order:
    at = instant(event.meta.at)
    return Order(
        event.order_id,
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
        OrderStatus.REJECTED,
        event.self_trade_prevention,
        failed_at=at,
        reject_reason=event.reason,
        reject_bound=optional(event.bound),
    )


def _cancel(order: Order, event: OrderCanceled) -> None:
    order.status = OrderStatus.CANCELED
    order.canceled_at = order.updated_at
    order.cancel_reason = event.reason

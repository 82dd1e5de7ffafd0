"""How the facts of an order's life are made from its terms.

The order of the fields is fixed in `events.py`; it is spelled out here once,
positionally, because these are made for every order that passes.
"""

from typing import TypeAlias

from domain.events.event import Meta
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    TradeExecuted,
)
from domain.money import Price, Quantity, fee
from domain.order import Order, Ticket
from domain.vocabulary import CancelReason, RejectReason, SelfTradePrevention

#: Why the market says no, and the price limit that was broken, where one was.
Objection: TypeAlias = tuple[RejectReason, Price | None]


def accepted(
    ticket: Ticket,
    *,
    worst: Price | None,
    resting: Quantity,
    prevention: SelfTradePrevention,
    meta: Meta,
) -> OrderAccepted:
    return OrderAccepted(
        meta,
        ticket.order_id,
        ticket.client_order_id,
        ticket.account_id,
        ticket.side,
        ticket.order_type,
        ticket.time_in_force,
        ticket.quantity,
        ticket.limit_price,
        worst,
        resting,
        prevention,
    )


def rejected(
    ticket: Ticket,
    objection: Objection,
    prevention: SelfTradePrevention,
    *,
    meta: Meta,
) -> OrderRejected:
    return OrderRejected(
        meta,
        ticket.order_id,
        ticket.client_order_id,
        ticket.account_id,
        ticket.side,
        ticket.order_type,
        ticket.time_in_force,
        ticket.quantity,
        ticket.limit_price,
        *objection,
        prevention,
    )


def executed(
    maker: Order,
    taker: Order,
    *,
    quantity: Quantity,
    trade_id: int,
    taker_fee: int,
    meta: Meta,
) -> TradeExecuted:
    """A trade prints at the resting order's price (rule MATCH-03)."""
    price = maker.limit_price
    assert price is not None
    value = price * quantity
    return TradeExecuted(
        meta,
        trade_id,
        price,
        quantity,
        taker.side,
        maker.order_id,
        maker.account_id,
        maker.leaves - quantity,
        fee(value, basis_points=maker.maker_fee),
        taker.order_id,
        taker.account_id,
        taker.leaves - quantity,
        fee(value, basis_points=taker_fee),
    )


def canceled(
    order: Order, reason: CancelReason, note: str, *, resting: bool, meta: Meta
) -> OrderCanceled:
    """`resting` says whether the order was in the book; else it never got there."""
    return OrderCanceled(
        meta,
        order.order_id,
        order.account_id,
        order.side,
        order.leaves,
        order.limit_price if resting else None,
        reason,
        note,
    )


def expired(order: Order, *, meta: Meta) -> OrderExpired:
    price = order.limit_price
    assert price is not None
    return OrderExpired(
        meta, order.order_id, order.account_id, order.side, order.leaves, price
    )

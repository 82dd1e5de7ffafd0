"""Constructors of order facts from an order's terms."""

from typing import TypeAlias

from domain.events.event import Meta
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    TradeExecuted,
)
from domain.ids import TradeId
from domain.market.order import Order, Ticket
from domain.money import Price, Quantity, fee
from domain.vocabulary import CancelReason, RejectReason, SelfTradePrevention

#: The reason for a rejection, and the price limit that the order broke, if any.
Objection: TypeAlias = tuple[RejectReason, Price | None]


def accepted(
    ticket: Ticket,
    worst: Price | None,
    resting: Quantity,
    prevention: SelfTradePrevention,
    meta: Meta,
) -> OrderAccepted:
    """Return the fact of an acceptance; `worst` is None if unbounded."""
    return OrderAccepted(
        meta=meta,
        order_id=ticket.order_id,
        client_order_id=ticket.client_order_id,
        account_id=ticket.account_id,
        side=ticket.side,
        order_type=ticket.order_type,
        time_in_force=ticket.time_in_force,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        worst_price=worst,
        resting=resting,
        self_trade_prevention=prevention,
    )


def rejected(
    ticket: Ticket,
    objection: Objection,
    prevention: SelfTradePrevention,
    *,
    meta: Meta,
) -> OrderRejected:
    """Return the fact of a rejection, with the reason and bound of the objection."""
    reason, bound = objection
    return OrderRejected(
        meta=meta,
        order_id=ticket.order_id,
        client_order_id=ticket.client_order_id,
        account_id=ticket.account_id,
        side=ticket.side,
        order_type=ticket.order_type,
        time_in_force=ticket.time_in_force,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        reason=reason,
        bound=bound,
        self_trade_prevention=prevention,
    )


def executed(
    maker: Order,
    taker: Order,
    *,
    quantity: Quantity,
    trade_id: TradeId,
    taker_fee: int,
    meta: Meta,
) -> TradeExecuted:
    """Return the fact of a trade at the maker's price (rule MATCH-03)."""
    price = maker.limit_price
    assert price is not None
    value = price * quantity
    return TradeExecuted(
        meta=meta,
        trade_id=trade_id,
        price=price,
        quantity=quantity,
        taker_side=taker.side,
        maker_order_id=maker.order_id,
        maker_account_id=maker.account_id,
        maker_leaves=maker.leaves - quantity,
        maker_fee=fee(value, basis_points=maker.maker_fee),
        taker_order_id=taker.order_id,
        taker_account_id=taker.account_id,
        taker_leaves=taker.leaves - quantity,
        taker_fee=fee(value, basis_points=taker_fee),
    )


def canceled(
    order: Order, reason: CancelReason, note: str, *, resting: bool, meta: Meta
) -> OrderCanceled:
    """Return the fact of a cancel; `resting` says whether the order is in the book."""
    return OrderCanceled(
        meta=meta,
        order_id=order.order_id,
        account_id=order.account_id,
        side=order.side,
        quantity=order.leaves,
        resting_price=order.limit_price if resting else None,
        reason=reason,
        note=note,
    )


def expired(order: Order, *, meta: Meta) -> OrderExpired:
    """Return the fact of an expiry; only a resting order expires."""
    price = order.limit_price
    assert price is not None
    return OrderExpired(
        meta=meta,
        order_id=order.order_id,
        account_id=order.account_id,
        side=order.side,
        quantity=order.leaves,
        resting_price=price,
    )

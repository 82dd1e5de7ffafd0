"""The order in the answer to a command: from its facts, or from the read port."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from api.wire.order import Order
from api.wire.order_reader import StoredOrder
from api.wire.text import optional
from api.write.door import Instrument, WriteDoor
from api.write.order_answer import order_answer, symbol_in
from commands.answers import Answer, NotHeld
from domain.errors import DomainError, DuplicateOrder, NotFound, OrderDone
from domain.ids import AccountId, OrderId
from domain.market.order import Replacement, Ticket
from domain.money import Quantity

#: Orders by id, all as of one log position.
Stored: TypeAlias = Mapping[OrderId, StoredOrder]
NONE_REPEATED: Stored = {}


async def repeated_orders(door: WriteDoor, answers: Iterable[Answer]) -> Stored:
    """Return the orders that repeats name, as they are now: all in one read."""
    repeats = [each for each in answers if each.order_id]
    if not repeats:
        return NONE_REPEATED
    return await door.orders.orders(
        [each.order_id for each in repeats], at=max(each.position for each in repeats)
    )


def placed_order(
    answer: Answer, ticket: Ticket, instrument: Instrument, repeated: Stored
) -> Order:
    """Return the order of a ticket; after a repeat, the order as it is now.

    Raises:
        DuplicateOrder: the client order id names an order with other terms (ORDER-09).
    """
    if not answer.order_id:
        return order_answer(answer.facts, instrument.symbol, instrument.asset_id)
    stored = repeated.get(answer.order_id)
    if stored is None or not _is_same(stored.order, ticket):
        raise DuplicateOrder(client_order_id=ticket.client_order_id)
    return stored.order


def _is_same(order: Order, ticket: Ticket) -> bool:
    return (
        order.replaces is None
        and order.symbol == ticket.symbol
        and order.side is ticket.side
        and order.type is ticket.order_type
        and order.time_in_force is ticket.time_in_force
        and order.qty == str(ticket.quantity)
        and order.limit_price == optional(ticket.limit_price)
        and ticket.self_trade_prevention in (None, order.self_trade_prevention)
    )


async def replacing_order(
    door: WriteDoor, answer: Answer, order_id: OrderId, new: Replacement
) -> Order:
    """Return the order that replaced another; after a repeat, as it is now.

    Raises:
        DuplicateOrder: the client order id names an order with other terms.
    """
    if not answer.order_id:
        return await order_in(door, answer)
    ids = [answer.order_id, order_id]
    stored = await door.orders.orders(ids, at=answer.position)
    if len(stored) == len(ids):
        order, old = (stored[each].order for each in ids)
        if (
            order.replaces == order_id
            and order.qty == _or(new.quantity, old.qty)
            and order.limit_price == (optional(new.limit_price) or old.limit_price)
            and new.time_in_force in (None, order.time_in_force)
        ):
            return order
    raise DuplicateOrder(client_order_id=new.client_order_id)


def _or(quantity: Quantity | None, default: str) -> str:
    return default if quantity is None else str(quantity)


async def order_in(door: WriteDoor, answer: Answer) -> Order:
    """Return the first order in the facts of an answer."""
    instrument = await door.require_instrument(symbol_in(answer.facts))
    return order_answer(answer.facts, instrument.symbol, instrument.asset_id)


async def not_held(
    door: WriteDoor, unknown: NotHeld, order_id: OrderId, account_id: AccountId | None
) -> DomainError:
    """Return the error for a change of an order that the writer does not hold.

    The order must belong to `account_id`, unless that is None.
    """
    found = await door.orders.orders([order_id], at=unknown.position)
    stored = found.get(order_id)
    if stored is None or account_id not in (None, stored.account_id):
        return NotFound("order", order_id)
    return OrderDone(status=stored.order.status)

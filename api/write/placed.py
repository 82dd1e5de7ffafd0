"""The order in the answer to a command: from its facts, or from the read port."""

from api.wire.order import Order
from api.wire.text import optional
from api.write.door import Instrument, WriteDoor
from api.write.order_answer import order_answer, symbol_in
from commands.answers import Answer, NotHeld
from domain.errors import DomainError, DuplicateOrder, NotFound, OrderDone
from domain.ids import AccountId, ClientOrderId, OrderId
from domain.market.order import Replacement, Ticket
from domain.money import Quantity


async def placed_order(
    door: WriteDoor, answer: Answer, ticket: Ticket, instrument: Instrument
) -> Order:
    """Return the order of a ticket; after a repeat, the order as it is now.

    Raises:
        DuplicateOrder: the client order id names an order with other terms (ORDER-09).
    """
    if not answer.order_id:
        return order_answer(answer.facts, instrument.symbol, instrument.asset_id)
    order = await _repeated(door, answer, ticket.client_order_id)
    same = (
        order.replaces is None
        and order.symbol == ticket.symbol
        and order.side is ticket.side
        and order.type is ticket.order_type
        and order.time_in_force is ticket.time_in_force
        and order.qty == str(ticket.quantity)
        and order.limit_price == optional(ticket.limit_price)
        and ticket.self_trade_prevention in (None, order.self_trade_prevention)
    )
    if not same:
        raise DuplicateOrder(client_order_id=ticket.client_order_id)
    return order


async def replacing_order(
    door: WriteDoor, answer: Answer, order_id: OrderId, new: Replacement
) -> Order:
    """Return the order that replaced another; after a repeat, as it is now.

    Raises:
        DuplicateOrder: the client order id names an order with other terms.
    """
    if not answer.order_id:
        return await order_in(door, answer)
    order = await _repeated(door, answer, new.client_order_id)
    old = await door.orders.order(order_id, at=answer.position)
    same = (
        old is not None
        and order.replaces == order_id
        and order.qty == _or(new.quantity, old.order.qty)
        and order.limit_price == (optional(new.limit_price) or old.order.limit_price)
        and new.time_in_force in (None, order.time_in_force)
    )
    if not same:
        raise DuplicateOrder(client_order_id=new.client_order_id)
    return order


def _or(quantity: Quantity | None, default: str) -> str:
    return default if quantity is None else str(quantity)


async def order_in(door: WriteDoor, answer: Answer) -> Order:
    """Return the first order in the facts of an answer."""
    instrument = await door.require_instrument(symbol_in(answer.facts))
    return order_answer(answer.facts, instrument.symbol, instrument.asset_id)


async def _repeated(
    door: WriteDoor, answer: Answer, client_order_id: ClientOrderId
) -> Order:
    stored = await door.orders.order(answer.order_id, at=answer.position)
    if stored is None:
        raise DuplicateOrder(client_order_id=client_order_id)
    return stored.order


async def not_held(
    door: WriteDoor, unknown: NotHeld, order_id: OrderId, account_id: AccountId | None
) -> DomainError:
    """Return the error for a change of an order that the writer does not hold.

    The order must belong to `account_id`, unless that is None.
    """
    stored = await door.orders.order(order_id, at=unknown.position)
    if stored is None or account_id not in (None, stored.account_id):
        return NotFound("order", order_id)
    return OrderDone(status=stored.order.status)

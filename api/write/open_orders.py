"""Open orders: replace one, cancel one, cancel all."""

import asyncio
from collections.abc import Sequence

import msgspec
from litestar import Response, delete, patch
from litestar.params import FromPath, JSONBody

from api.http.numbers import Number
from api.http.request_context import CallDependency
from api.http.request_errors import NotSupportedYet
from api.wire.amounts import price, quantity
from api.wire.order import Order
from api.wire.symbols import Symbols, symbols_in
from api.write.answers import empty_response, response_of
from api.write.door import DoorDependency
from api.write.order_body import ClientOrderIdText
from api.write.placed import not_held, replacing_order
from commands.answers import NotHeld
from commands.messages import CancelAllOrders, CancelOrder, ReplaceOrder
from domain.events.market import OrderCanceled
from domain.events.register import Recorded
from domain.ids import ClientOrderId, OrderId
from domain.market.order import Replacement
from domain.vocabulary import TimeInForce

#: A long answer is made in turns of this many facts.
FACTS_OF_TURN = 2_000


class Changes(msgspec.Struct, forbid_unknown_fields=True):
    """New terms of an order. Missing terms stay; `qty` is the new total quantity."""

    qty: Number | None = None
    limit_price: Number | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: ClientOrderIdText | None = None
    stop_price: Number | None = None
    trail: Number | None = None

    def replacement(self, order_id: OrderId) -> Replacement:
        for name, value in (("stop_price", self.stop_price), ("trail", self.trail)):
            if value is not None:
                raise NotSupportedYet(f"{name} (stop and trailing orders) is", name)
        return Replacement(
            order_id,
            self.client_order_id or ClientOrderId(order_id),
            None if self.qty is None else quantity(self.qty, "qty"),
            None
            if self.limit_price is None
            else price(self.limit_price, "limit_price"),
            self.time_in_force,
        )


@patch("/v2/orders/{order_id:str}", tags=["orders"])
async def replace_order(
    data: JSONBody[Changes],
    order_id: FromPath[OrderId],
    call: CallDependency,
    door: DoorDependency,
) -> Response[Order]:
    """Replace a resting order with new terms and return the new order, which has a new
    id. At the same price, for the same or a smaller quantity, it keeps its place in the
    queue. Otherwise it enters like a new order."""
    account_id = call.caller.account_id
    new = data.replacement(door.new_id())
    meta = door.meta(call, "replace", order_id, data)
    try:
        answer = await door.execute(ReplaceOrder(meta, account_id, order_id, new))
    except NotHeld as unknown:
        raise await not_held(door, unknown, order_id, account_id) from None
    return response_of(await replacing_order(door, answer, order_id, new), answer)


@delete("/v2/orders/{order_id:str}", tags=["orders"], status_code=204)
async def cancel_order(
    order_id: FromPath[OrderId], call: CallDependency, door: DoorDependency
) -> Response[None]:
    """Cancel an open order. The cash or shares that it held are available at once."""
    account_id = call.caller.account_id
    meta = door.meta(call, "cancel", order_id)
    try:
        return empty_response(
            await door.execute(CancelOrder(meta, account_id, order_id))
        )
    except NotHeld as unknown:
        raise await not_held(door, unknown, order_id, account_id) from None


class Canceled(msgspec.Struct):
    """The result for one order."""

    id: OrderId
    status: int
    body: None = None


@delete("/v2/orders", tags=["orders"], status_code=207)
async def cancel_all_orders(
    call: CallDependency, door: DoorDependency, symbols: Symbols = None
) -> Response[list[Canceled]]:
    """Cancel the orders of the account that are open now, or only those in `symbols`.
    More than 500 are canceled in slices, with other commands between them; the answer
    comes after the last. Meanwhile the account's orders cannot be replaced."""
    only = symbols_in(symbols)
    meta = door.meta(call, "cancel-all", *only)
    command = CancelAllOrders(meta, call.caller.account_id, only)
    answer = await door.execute(command)
    return response_of(await _canceled(answer.facts), answer, status=207)


async def _canceled(facts: Sequence[Recorded]) -> list[Canceled]:
    canceled: list[Canceled] = []
    for start in range(0, len(facts), FACTS_OF_TURN):
        canceled += [
            Canceled(recorded.event.order_id, 200)
            for recorded in facts[start : start + FACTS_OF_TURN]
            if isinstance(recorded.event, OrderCanceled)
        ]
        # The answer may be long: let other requests in between.
        await asyncio.sleep(0)
    return canceled

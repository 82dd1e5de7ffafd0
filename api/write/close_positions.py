"""Closing positions: a market order sells all of a position or a part of it."""

from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import Response, delete
from litestar.params import FromPath, FromQuery

from api.http.error_responses import problem_of
from api.http.numbers import Number
from api.http.request_context import CallDependency
from api.http.request_errors import BadParameter
from api.wire.amounts import quantity
from api.wire.order import Order
from api.write.answers import response_of
from api.write.door import DoorDependency, WriteDoor
from api.write.placed import order_in
from commands.answers import Outcome
from commands.messages import CloseAllPositions, ClosePosition
from domain.errors import DomainError
from domain.ids import Symbol


@delete("/v2/positions/{symbol:str}", tags=["positions"], status_code=200)
async def close_position(
    symbol: FromPath[Symbol],
    call: CallDependency,
    door: DoorDependency,
    qty: FromQuery[Number | None] = None,
    percentage: FromQuery[Number | None] = None,
) -> Response[Order]:
    """Sell a position with a market order: all of it, `qty` shares, or a `percentage`
    that the server rounds down to whole lots."""
    if qty is not None and percentage is not None:
        raise BadParameter("specify qty or percentage, not both", "percentage")
    instrument = await door.require_instrument(symbol)
    meta = door.meta(call, "close", symbol, qty, percentage)
    command = ClosePosition(
        meta,
        call.caller.account_id,
        instrument.symbol,
        door.new_id(),
        None if qty is None else quantity(qty, "qty"),
        None if percentage is None else Decimal(percentage),
    )
    answer = await door.execute(command)
    return response_of(await order_in(door, answer), answer)


class Closed(msgspec.Struct):
    """The result for one position: a status, with the closing order or a problem."""

    symbol: Symbol
    status: int
    body: Annotated[object, msgspec.Meta(description="An Order or a Problem.")]


@delete("/v2/positions", tags=["positions"], status_code=207)
async def close_all_positions(
    call: CallDependency, door: DoorDependency, cancel_orders: FromQuery[bool] = False
) -> Response[list[Closed]]:
    """Sell every position with a market order; each position has its own status. With
    the same `Idempotency-Key`, a repeat covers the positions of the first request."""
    meta = door.meta(call, "close-all", cancel_orders)
    command = CloseAllPositions(meta, call.caller.account_id, cancel_orders)
    answer = await door.execute(command)
    closed = [
        await _closed(door, Symbol(symbol), each) for symbol, each in answer.parts
    ]
    return response_of(closed, answer, status=207)


async def _closed(door: WriteDoor, symbol: Symbol, outcome: Outcome) -> Closed:
    if isinstance(outcome, DomainError):
        problem = problem_of(outcome)
        return Closed(symbol, problem.status, problem.content())
    return Closed(symbol, 200, await order_in(door, outcome))

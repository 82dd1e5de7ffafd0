"""How positions are closed: with a market order that sells all of it, or a part."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Response, delete
from litestar.params import FromPath, FromQuery

from api.http.error_responses import problem_of
from api.http.numbers import Number
from api.http.request_context import Call, GivenCall
from api.http.request_errors import BadParameter
from api.wire.amounts import quantity
from api.wire.order import Order
from api.write.answers import answered, answered_in_parts
from api.write.door import GivenDoor, WriteDoor
from api.write.order_answer import order_answer
from commands.messages import CancelAllOrders, PlaceOrder, UseKey
from commands.writer import Answer
from domain.errors import DomainError, NotFound
from domain.events.event import Meta
from domain.events.keys import KeyUsed
from domain.ids import AccountId, Symbol
from domain.market import Market
from domain.money import Quantity
from domain.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce


@delete("/v2/positions/{symbol:str}", tags=["positions"], status_code=200)
async def close_position(
    symbol: FromPath[Symbol],
    call: GivenCall,
    door: GivenDoor,
    qty: FromQuery[Number | None] = None,
    percentage: FromQuery[Number | None] = None,
) -> Response[Order]:
    """Sell a position at the market: all of it, a quantity or a percentage (whole
    lots, rounded down)."""
    door.check_leading()
    meta = door.meta(call, "close", symbol, qty, percentage)
    answer = await door.carried_out(meta)
    market = door.listed(symbol)
    if answer is None:
        held = _held(door, call.caller.account_id, market)
        sold = _part(held, market.listing.lot_size, qty, percentage)
        answer = await _sell(door, call.caller.account_id, meta, market, sold)
    return answered(_order(market, answer), answer)


def _held(door: WriteDoor, account_id: AccountId, market: Market) -> Quantity:
    symbol = market.book.symbol
    holding = door.writer.exchange.wallet(account_id).holdings.get(symbol)
    if holding is None or not holding.quantity:
        raise NotFound("position", symbol)
    return holding.quantity


def _part(
    held: Quantity, lot: Quantity, qty: Number | None, percentage: Number | None
) -> Quantity:
    if percentage is None:
        return held if qty is None else quantity(qty, "qty")
    if qty is not None:
        raise BadParameter("give qty or percentage, not both", "percentage")
    if not 0 < percentage <= 100:
        raise BadParameter(
            "percentage must be more than 0 and at most 100", "percentage"
        )
    sold = int(held * percentage / 100) // lot * lot
    if not sold:
        raise BadParameter("percentage comes to less than one lot", "percentage")
    return sold


async def _sell(
    door: WriteDoor, account_id: AccountId, meta: Meta, market: Market, sold: Quantity
) -> Answer:
    order_id = door.new_id()
    ticket = Ticket(
        order_id,
        order_id,
        account_id,
        market.book.symbol,
        Side.SELL,
        OrderType.MARKET,
        TimeInForce.DAY,
        sold,
        None,
    )
    return await door.execute(PlaceOrder(meta, ticket))


def _order(market: Market, answer: Answer) -> Order:
    listing = market.listing
    return order_answer(answer.events, listing.symbol, listing.asset_id)


class Closed(msgspec.Struct):
    """What became of one position of a request to close all: the closing order, or the
    problem."""

    symbol: Symbol
    status: int
    body: Annotated[object, msgspec.Meta(description="An Order, or a Problem.")]


@delete("/v2/positions", tags=["positions"], status_code=207)
async def close_all_positions(
    call: GivenCall, door: GivenDoor, cancel_orders: FromQuery[bool] = False
) -> Response[list[Closed]]:
    """Sell every position at the market; each has its own status. An `Idempotency-Key`
    keeps to the positions that were there when it was first used."""
    door.check_leading()
    account_id = call.caller.account_id
    symbols = await _positions(door, call, cancel_orders)
    answers: list[Answer] = []
    if cancel_orders:
        meta = door.meta(call.for_part("orders"), "close-all")
        answers.append(await door.execute(CancelAllOrders(meta, account_id)))
    closed: list[Closed] = []
    for symbol in symbols:
        meta = door.meta(call.for_part(symbol), "close-all")
        try:
            market = door.listed(symbol)
            answer = await door.carried_out(meta)
            if answer is None:
                held = _held(door, account_id, market)
                answer = await _sell(door, account_id, meta, market, held)
        except DomainError as refusal:
            problem = problem_of(refusal)
            closed.append(Closed(symbol, problem.status, problem.content()))
            continue
        closed.append(Closed(symbol, 200, _order(market, answer)))
        answers.append(answer)
    return answered_in_parts(closed, answers)


async def _positions(
    door: WriteDoor, call: Call, cancel_orders: bool
) -> Sequence[Symbol]:
    """What to close: what is held, or was when the `Idempotency-Key` was first used."""
    holdings = door.writer.exchange.wallet(call.caller.account_id).holdings
    symbols = tuple(symbol for symbol, held in holdings.items() if held.quantity)
    if call.key is None:
        return symbols
    meta = door.meta(call, "close-all", cancel_orders)
    begun = (await door.execute(UseKey(meta, symbols))).events[0]
    assert isinstance(begun, KeyUsed)
    return begun.parts

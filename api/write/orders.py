"""Placing orders, one or a batch: the bare routes of the write door."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from api.http.auth import Caller, Gate
from api.http.bare_routes import (
    BareRequest,
    BareRoute,
    NeverRun,
    Reply,
    in_place_of_handler,
)
from api.http.error_responses import problem_of
from api.http.json_bodies import BodyReader
from api.http.openapi import BEARER, CommandOperation
from api.http.request_context import correlation_for, key_of, note_refusals, notes_in
from api.http.request_errors import BadParameter
from api.wire.order import ManyResult, Order
from api.write.door import Instrument, WriteDoor
from api.write.order_body import BATCH_MAX, NewOrder, read_order
from api.write.placed import NONE_REPEATED, placed_order, repeated_orders
from commands.answers import Answer
from commands.keys import content_digest, part_key
from commands.messages import PlaceOrder, PlaceOrders
from domain.errors import DomainError, Unavailable, UnknownSymbol
from domain.events.event import Meta
from domain.ids import ClientOrderId
from domain.market.order import Ticket

_encode = msgspec.json.Encoder().encode


async def _instrument(door: WriteDoor, new: NewOrder) -> Instrument:
    known = door.instruments.get(new.symbol) or await door.instrument(new.symbol)
    if known is None:
        raise UnknownSymbol(symbol=new.symbol)
    return known


def _digest(new: NewOrder, ticket: Ticket) -> str:
    """Return the digest of an order; `10` and `10.0` have the same digest."""
    return content_digest(
        "order",
        ticket.symbol,
        ticket.side.value,
        ticket.order_type.value,
        ticket.time_in_force.value,
        ticket.quantity,
        ticket.limit_price,
        new.client_order_id,
        new.self_trade_prevention,
    )


class PlaceOrderRoute(BareRoute):
    """Places one order and replies once it is durable."""

    def __init__(self, door: WriteDoor, gate: Gate, body_limit: int) -> None:
        self._door = door
        self._gate = gate
        self._body_limit = body_limit

    async def answer(self, request: BareRequest) -> Reply:
        headers, door = request.headers, self._door
        now = door.clock.now
        caller = self._gate.admit(headers.get(b"authorization"), now())
        request.scope["user"] = caller
        new = read_order(await request.body(self._body_limit))
        key = key_of(headers) if b"idempotency-key" in headers else None
        instrument = await _instrument(door, new)
        order_id = door.new_id()
        # The `Idempotency-Key` is also the client order id, unless the body has one.
        ticket = new.ticket(
            order_id=order_id,
            client_order_id=None if key is None else ClientOrderId(key),
            account_id=caller.account_id,
            symbol=instrument.symbol,
        )
        digest = None if key is None else _digest(new, ticket)
        # Take the time now: the body may arrive slowly, and times in the log ascend.
        correlation = correlation_for(notes_in(request.scope), order_id)
        meta = Meta(now(), caller.user_id, order_id, correlation, key, digest)
        answer = await door.execute(PlaceOrder(meta, ticket))
        repeated = NONE_REPEATED
        if answer.order_id:
            repeated = await repeated_orders(door, [answer])
        order = placed_order(answer, ticket, instrument, repeated)
        return Reply(_encode(order), answer.position, answer.repeated)


class BatchResult(msgspec.Struct):
    """The result for one order of a batch: a status, with the order or a problem."""

    status: int
    body: Annotated[object, msgspec.Meta(description="An Order or a Problem.")]


class OrderBatch(msgspec.Struct, forbid_unknown_fields=True):
    """1 to 500 orders. The server accepts or refuses each of them alone."""

    orders: list[NewOrder]


class _RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    """A batch of undecoded orders, so that a bad order does not fail the others."""

    orders: list[msgspec.Raw]


_batch = BodyReader(_RawBatch)


class _Readable(msgspec.Struct, frozen=True):
    """One well-formed order of a batch."""

    new: NewOrder
    instrument: Instrument


class PlaceBatchRoute(BareRoute):
    """Places a batch of orders: one turn of the loop decides all of them."""

    def __init__(self, door: WriteDoor, gate: Gate, body_limit: int) -> None:
        self._door = door
        self._gate = gate
        self._body_limit = body_limit

    async def answer(self, request: BareRequest) -> Reply:
        door = self._door
        now = door.clock.now
        caller = self._gate.admit(request.headers.get(b"authorization"), now())
        request.scope["user"] = caller
        whole = await request.body(self._body_limit)
        bodies = _batch.take_apart(whole).orders
        if not 1 <= len(bodies) <= BATCH_MAX:
            raise BadParameter(f"a batch has 1 to {BATCH_MAX} orders", "orders")
        key = key_of(request.headers)
        digest = None
        if key is not None:
            content = blake2b(whole, digest_size=16).hexdigest()
            digest = content_digest("batch", content)
        readable = [await self._read(body) for body in bodies]
        command_id = door.new_id()
        correlation = correlation_for(notes_in(request.scope), command_id)
        meta = Meta(now(), caller.user_id, command_id, correlation, key, digest)
        command = self._command(meta, readable, caller)
        answer = await door.execute(command)
        results, refused = await self._results(readable, command, answer)
        if refused:
            note_refusals(request.scope, refused)
        position = answer.position or None
        return Reply(_encode(results), position, answer.repeated, status=207)

    async def _read(self, body: msgspec.Raw) -> _Readable | DomainError:
        try:
            new = read_order(body)
            return _Readable(new, await _instrument(self._door, new))
        except Unavailable:
            # This server cannot place any order of the batch.
            raise
        except DomainError as refusal:
            return refusal.with_traceback(None)

    def _command(
        self,
        meta: Meta,
        readable: list[_Readable | DomainError],
        caller: Caller,
    ) -> PlaceOrders:
        """Return the command; replace an order without a ticket by its refusal."""
        door = self._door
        orders: list[tuple[int, PlaceOrder]] = []
        for number, each in enumerate(readable):
            if isinstance(each, DomainError):
                continue
            order_id = door.new_id()
            try:
                ticket = each.new.ticket(
                    order_id=order_id,
                    client_order_id=None,
                    account_id=caller.account_id,
                    symbol=each.instrument.symbol,
                )
            except DomainError as refusal:
                readable[number] = refusal.with_traceback(None)
                continue
            key = None if meta.key is None else part_key(meta.key, number)
            # Each order needs a time that no other has: clients page by time.
            own = Meta(
                door.clock.now(),
                meta.actor,
                order_id,
                meta.correlation,
                key,
                meta.digest,
            )
            orders.append((number, PlaceOrder(own, ticket)))
        return PlaceOrders(meta, tuple(orders))

    async def _results(
        self,
        readable: Sequence[_Readable | DomainError],
        command: PlaceOrders,
        answer: Answer,
    ) -> tuple[list[ManyResult], list[str]]:
        """Return the result of each order, and the reasons of the refused ones."""
        outcomes = dict(answer.parts)
        answers = [each for each in outcomes.values() if isinstance(each, Answer)]
        repeated = await repeated_orders(self._door, answers)
        tickets = {number: order.ticket for number, order in command.orders}
        results: list[ManyResult] = []
        refused: list[str] = []
        for number, each in enumerate(readable):
            outcome = each if isinstance(each, DomainError) else outcomes[str(number)]
            try:
                if isinstance(outcome, DomainError):
                    raise outcome
                assert isinstance(each, _Readable)
                order = placed_order(
                    outcome, tickets[number], each.instrument, repeated
                )
            except DomainError as refusal:
                problem = problem_of(refusal)
                refused.append(problem.reason)
                results.append(ManyResult(problem.status, msgspec.Raw(problem.body())))
                continue
            results.append(ManyResult(200, msgspec.Raw(_encode(order))))
        return results, refused


def place_order_route(route: PlaceOrderRoute) -> HTTPRouteHandler:
    @post(
        "/v2/orders",
        tags=["orders"],
        status_code=200,
        security=BEARER,
        operation_class=CommandOperation,
        middleware=[in_place_of_handler(route)],
    )
    async def place_order(data: JSONBody[NewOrder]) -> Order:
        """Place an order and return it as it is after matching."""
        del data
        raise NeverRun

    return place_order


def place_batch_route(route: PlaceBatchRoute) -> HTTPRouteHandler:
    @post(
        "/v2/orders:batch",
        tags=["orders"],
        status_code=207,
        security=BEARER,
        operation_class=CommandOperation,
        middleware=[in_place_of_handler(route)],
    )
    async def place_batch(data: JSONBody[OrderBatch]) -> list[BatchResult]:
        """Place up to 500 orders. The response lists one result per order, in the same
        sequence: a status, with the order or a problem as its body."""
        del data
        raise NeverRun

    return place_batch

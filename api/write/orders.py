"""Orders come in, one by one and many at once: the two hot routes of the write door."""

import contextlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from api.http.auth import Caller, Gate
from api.http.bare_routes import (
    HotRequest,
    HotRoute,
    NeverRun,
    Reply,
    in_place_of_handler,
)
from api.http.error_responses import problem_of
from api.http.json_bodies import BodyReader
from api.http.openapi import BEARER, Command
from api.http.request_context import key_of
from api.http.request_errors import BadParameter, DomainError
from api.wire.order import ManyResult, Order
from api.write.door import WriteDoor
from api.write.order_answer import order_answer
from api.write.order_body import BATCH_MAX, NewOrder, read_order
from commands.messages import PlaceOrder, UseKey
from commands.receipts import Repeated, keyed_command_id, part_of
from commands.writer import Answer, Pending
from domain.errors import UnknownSymbol
from domain.events.event import Meta, Timestamp
from domain.ids import CommandId
from domain.market import Market
from domain.order import Ticket

_encode = msgspec.json.Encoder().encode


class Placement(msgspec.Struct, frozen=True, gc=False):
    """An order on its way: carried out in memory, or found to be a repetition."""

    market: Market
    outcome: Pending | Repeated

    def order(self, answer: Answer) -> Order:
        listing = self.market.listing
        return order_answer(answer.events, listing.symbol, listing.asset_id)


class OrderDesk:
    """Makes commands of orders and hands them to the writer."""

    def __init__(self, door: WriteDoor) -> None:
        self.door = door

    def place(
        self,
        new: NewOrder,
        caller: Caller,
        *,
        at: Timestamp,
        correlation: str | None,
        key: str | None = None,
        command_id: CommandId | None = None,
    ) -> Placement:
        """Carry out an order in memory.

        The id of the command is that of the order, but for one with an
        `Idempotency-Key`. `key` is one for this order alone, and names it too.
        """
        door = self.door
        door.check_leading()
        market = door.market(new.symbol)
        if market is None:
            raise UnknownSymbol(symbol=new.symbol)
        order_id = door.new_id()
        ticket = new.ticket(
            order_id=order_id,
            client_order_id=key,
            account_id=caller.account_id,
            symbol=market.book.symbol,
        )
        if key is not None:
            command_id = _keyed(key, new, ticket, caller)
        meta = Meta(at, caller.user_id, command_id or order_id, correlation)
        try:
            return Placement(market, door.writer.submit(PlaceOrder(meta, ticket)))
        except Repeated as repeated:
            return Placement(market, repeated)

    async def answer(self, placement: Placement) -> Answer:
        """Wait until it is durable. All orders of one batch wait for one commit."""
        outcome = placement.outcome
        if isinstance(outcome, Repeated):
            return await self.door.first_answer(outcome)
        return await outcome.answer()


def _keyed(key: str, new: NewOrder, ticket: Ticket, caller: Caller) -> CommandId:
    """The id of a command that must be the same order when the key is used again,
    however its numbers are written."""
    return keyed_command_id(
        caller.user_id,
        key,
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


class PlaceOrderRoute(HotRoute):
    """One order: decide, wait until it is durable, answer."""

    def __init__(self, desk: OrderDesk, gate: Gate, body_limit: int) -> None:
        self._desk = desk
        self._gate = gate
        self._body_limit = body_limit

    async def answer(self, request: HotRequest) -> Reply:
        headers, desk = request.headers, self._desk
        now = desk.door.clock.now
        caller = self._gate.admit(headers.get(b"authorization"), now())
        new = read_order(await request.body(self._body_limit))
        key = key_of(headers) if b"idempotency-key" in headers else None
        # Only now: a body may have taken its time, and the log's does not run back.
        placement = desk.place(
            new, caller, at=now(), correlation=request.correlation, key=key
        )
        answer = await desk.answer(placement)
        desk.door.acknowledged.note(caller.user_id, answer.position)
        order = placement.order(answer)
        return Reply(_encode(order), answer.position, answer.repeated)


class BatchResult(msgspec.Struct):
    """What became of one order of a batch."""

    status: int
    body: Annotated[object, msgspec.Meta(description="An Order, or a Problem.")]


class OrderBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 500 orders of the caller's own. Each is taken or refused by itself."""

    orders: list[NewOrder]


class _RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    """A batch before its orders are looked at, so that one cannot spoil the others."""

    orders: list[msgspec.Raw]


_batch = BodyReader(_RawBatch)


class PlaceBatchRoute(HotRoute):
    """Many orders: all are decided first, then one wait covers them."""

    def __init__(self, desk: OrderDesk, gate: Gate, body_limit: int) -> None:
        self._desk = desk
        self._gate = gate
        self._body_limit = body_limit

    async def answer(self, request: HotRequest) -> Reply:
        now = self._desk.door.clock.now
        caller = self._gate.admit(request.headers.get(b"authorization"), now())
        whole = await request.body(self._body_limit)
        bodies = _batch.take_apart(whole).orders
        if not 1 <= len(bodies) <= BATCH_MAX:
            raise BadParameter(f"a batch has 1 to {BATCH_MAX} orders", "orders")
        self._desk.door.check_leading()
        key = key_of(request.headers)
        batch_id = None
        if key is not None:
            content = blake2b(whole, digest_size=16).hexdigest()
            batch_id = keyed_command_id(caller.user_id, key, "batch", content)
            self._begin(Meta(now(), caller.user_id, batch_id, request.correlation))
        # Each at a time of its own, because lists of orders are paged by it.
        placements = [
            self._place(
                body,
                caller,
                now(),
                request.correlation,
                part_of(batch_id, place) if batch_id is not None else None,
            )
            for place, body in enumerate(bodies)
        ]
        reply = await self._answer_all(placements)
        if reply.position is not None:
            self._desk.door.acknowledged.note(caller.user_id, reply.position)
        return reply

    def _begin(self, meta: Meta) -> None:
        """Note that the key is used for this batch, ahead of the batch's orders: they
        become durable in one commit with it.

        Raises:
            Conflict: it was used for another one.
        """
        writer = self._desk.door.writer
        with contextlib.suppress(Repeated):
            writer.exchange.receipts.check_command(meta.command_id)
            writer.submit(UseKey(meta))

    def _place(
        self,
        body: msgspec.Raw,
        caller: Caller,
        at: Timestamp,
        correlation: str | None,
        command_id: CommandId | None,
    ) -> Placement | DomainError:
        try:
            return self._desk.place(
                read_order(body),
                caller,
                at=at,
                correlation=correlation,
                command_id=command_id,
            )
        except DomainError as refusal:
            return refusal

    async def _answer_all(self, placements: Sequence[Placement | DomainError]) -> Reply:
        position, fresh = 0, 0
        results: list[ManyResult] = []
        for placement in placements:
            try:
                if isinstance(placement, DomainError):
                    raise placement
                answer = await self._desk.answer(placement)
            except DomainError as refusal:
                problem = problem_of(refusal)
                results.append(ManyResult(problem.status, msgspec.Raw(problem.body())))
                continue
            order = placement.order(answer)
            results.append(ManyResult(200, msgspec.Raw(_encode(order))))
            position = max(position, answer.position)
            fresh += not answer.repeated
        if not position:
            # All of them were refused: there is nothing in the log to wait for.
            return Reply(_encode(results), None, status=207)
        return Reply(_encode(results), position, not fresh, status=207)


def place_order_route(route: PlaceOrderRoute) -> HTTPRouteHandler:
    @post(
        "/v2/orders",
        tags=["orders"],
        status_code=200,
        security=BEARER,
        operation_class=Command,
        middleware=[in_place_of_handler(route)],
    )
    async def place_order(data: JSONBody[NewOrder]) -> Order:
        """Buy or sell. Answers with the order as it stands after matching."""
        del data
        raise NeverRun

    return place_order


def place_batch_route(route: PlaceBatchRoute) -> HTTPRouteHandler:
    @post(
        "/v2/orders:batch",
        tags=["orders"],
        status_code=207,
        security=BEARER,
        operation_class=Command,
        middleware=[in_place_of_handler(route)],
    )
    async def place_batch(data: JSONBody[OrderBatch]) -> list[BatchResult]:
        """Up to 500 orders, answered one by one in their order: 207, and for each its
        own status with the order or the problem as its body."""
        del data
        raise NeverRun

    return place_batch

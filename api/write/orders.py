"""Orders come in, one by one and many at once: the two hot routes of the write door."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from api.auth import Caller, Gate
from api.bodies import BodyReader
from api.calls import key_of
from api.hot import HotRequest, HotRoute, NeverRun, Reply, in_place_of_handler
from api.openapi import BEARER, Command
from api.problems import problem_of
from api.refusals import BadParameter, DomainError
from api.schemas import ManyResult, Order
from api.write.door import WriteDoor
from api.write.order_answer import order_answer
from api.write.order_body import BATCH_MAX, NewOrder, read_order
from commands.messages import PlaceOrder
from commands.receipts import Repeated
from commands.writer import Answer, Pending
from domain.errors import UnknownSymbol
from domain.events import Meta, Timestamp
from domain.market import Market

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
    ) -> Placement:
        """Carry out an order in memory. The id of the command is that of the order."""
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
        meta = Meta(at, caller.user_id, order_id, correlation)
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


class PlaceOrderRoute(HotRoute):
    """One order: decide, wait until it is durable, answer."""

    def __init__(self, desk: OrderDesk, gate: Gate, body_limit: int) -> None:
        self._desk = desk
        self._gate = gate
        self._body_limit = body_limit

    async def answer(self, request: HotRequest) -> Reply:
        headers, desk = request.headers, self._desk
        at = desk.door.clock.now()
        caller = self._gate.admit(headers.get(b"authorization"), at)
        new = read_order(await request.body(self._body_limit))
        key = key_of(headers) if b"idempotency-key" in headers else None
        placement = desk.place(
            new, caller, at=at, correlation=request.correlation, key=key
        )
        answer = await desk.answer(placement)
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
        at = self._desk.door.clock.now()
        caller = self._gate.admit(request.headers.get(b"authorization"), at)
        bodies = _batch.take_apart(await request.body(self._body_limit)).orders
        if not 1 <= len(bodies) <= BATCH_MAX:
            raise BadParameter(f"a batch has 1 to {BATCH_MAX} orders", "orders")
        placements = [
            self._place(body, caller, at, request.correlation) for body in bodies
        ]
        return await self._answer_all(placements)

    def _place(
        self, body: msgspec.Raw, caller: Caller, at: Timestamp, correlation: str | None
    ) -> Placement | DomainError:
        try:
            return self._desk.place(
                read_order(body), caller, at=at, correlation=correlation
            )
        except DomainError as refusal:
            return refusal

    async def _answer_all(self, placements: Sequence[Placement | DomainError]) -> Reply:
        position = 0
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
        return Reply(_encode(results), position, status=207)


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

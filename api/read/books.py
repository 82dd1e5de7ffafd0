"""The order book of an instrument by price level: the bare route of the read door."""

from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from api.http.bare_routes import (
    BareRequest,
    BareRoute,
    NeverRun,
    Reply,
    in_place_of_handler,
)
from api.http.openapi import QueryOperation
from api.http.parameters import UnknownParameter
from api.http.request_errors import BadParameter
from api.read.door import ReadDoor, Reading, ViewDamaged, position_in
from api.wire.names import instrument_name
from domain.errors import NotFound
from domain.ids import LogPosition, Symbol
from domain.money import text
from projections.market import depth
from projections.market.book_levels import Level
from projections.readable import Unreadable

LEVELS = 10
LEVELS_MAX = 1_000
PARAMETERS = frozenset({"after", "after_position", "depth"})

_encode = msgspec.json.Encoder().encode


#: Price, size and number of orders.
BookLevel: TypeAlias = list[str | int]


class Book(msgspec.Struct):
    """The best price levels of each side, best first. A level is a list of price, size
    and number of orders. `sequence` counts the events of this market."""

    symbol: Symbol
    bids: list[BookLevel]
    asks: list[BookLevel]
    sequence: int
    log_position: LogPosition


class BookRoute(BareRoute):
    """Replies with the best levels of a book."""

    def __init__(self, door: ReadDoor) -> None:
        self._door = door

    async def answer(self, request: BareRequest) -> Reply:
        symbol = Symbol(instrument_name(request.scope["path_params"]["symbol"]))
        levels, after = LEVELS, None
        query = request.scope["query_string"]
        if query:
            levels, after = _parameters(query)
        reading = Reading(self._door, after)
        try:
            sides = await depth.book(reading, symbol, levels=levels)
        except Unreadable as damage:
            await self._door.retire(damage)
            raise ViewDamaged(damage.view.name) from None
        if sides is None:
            raise NotFound("asset", symbol)
        book = Book(
            symbol,
            _levels(sides.bids),
            _levels(sides.asks),
            sides.sequence,
            sides.log_position,
        )
        return Reply(_encode(book), reading.position or sides.log_position)


def _levels(levels: list[Level]) -> list[BookLevel]:
    return [[text(each.price), str(each.quantity), each.orders] for each in levels]


def _parameters(query: bytes) -> tuple[int, LogPosition | None]:
    parameters = dict(parse_qsl(query.decode("latin-1")))
    for name in parameters:
        if name not in PARAMETERS:
            raise UnknownParameter(name, PARAMETERS)
    levels = parameters.get("depth", str(LEVELS))
    if not (levels.isascii() and levels.isdigit()) or not (
        len(levels) <= 4 and 1 <= int(levels) <= LEVELS_MAX
    ):
        raise BadParameter(f"depth must be 1 to {LEVELS_MAX}", "depth")
    return int(levels), position_in(parameters)


def book_route(route: BookRoute) -> HTTPRouteHandler:
    @get(
        "/v2/books/{symbol:str}",
        tags=["market data"],
        operation_class=QueryOperation,
        middleware=[in_place_of_handler(route)],
    )
    async def get_book(
        symbol: FromPath[Symbol],
        depth: Annotated[int, QueryParameter(ge=1, le=LEVELS_MAX)] = LEVELS,
    ) -> Book:
        """Return the best price levels of an order book."""
        del symbol, depth
        raise NeverRun

    return get_book

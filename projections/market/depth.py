"""The order books by price level, each with its version in the market's stream."""

from typing import ClassVar

import msgspec

from domain.events.event import Event
from domain.events.market import (
    DayRolled,
    Halted,
    Listed,
    ListingChanged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    Resumed,
    TradeExecuted,
)
from domain.events.register import Fact
from domain.ids import LogPosition, Symbol, symbol_of
from projections.market.book_levels import (
    BookLevels,
    Level,
    asks_key,
    bids_key,
    decode_level,
)
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import (
    ReadHighest,
    ReadLowest,
    ReadRows,
    View,
    Views,
    present,
)

VIEW = View("depth")
STANDINGS = "standings"


class Standing(msgspec.Struct, array_like=True, gc=False):
    """A market's newest fact: its version in the stream and its log position."""

    sequence: int
    log_position: LogPosition
    at: int


class Depth(msgspec.Struct, frozen=True):
    """The best levels of a book, best first, at one log position.

    `sequence` is the version of the market's stream that the book shows.
    """

    symbol: Symbol
    bids: list[Level]
    asks: list[Level]
    sequence: int
    log_position: LogPosition
    at: int


class DepthProjection(Projection):
    """The fold of all market facts into levels and standings."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._books = BookLevels()
        self._standings = Rows(STANDINGS, Standing)
        super().__init__(self._books, self._standings)

    def _stands(self, symbol: Symbol, fact: Fact) -> None:
        at = fact.event.meta.at
        self._standings.put(symbol, Standing(fact.version, fact.position, at))

    @needs(OrderAccepted, TradeExecuted, OrderCanceled, OrderExpired, OrderReplaced)
    def _touches(self, _event: Event, fact: Fact) -> None:
        self._books.want(symbol_of(fact.stream))

    @on(OrderAccepted)
    def _accepted(self, event: OrderAccepted, fact: Fact) -> None:
        symbol = symbol_of(fact.stream)
        self._books.change(symbol).accepted(event)
        self._stands(symbol, fact)

    @on(TradeExecuted)
    def _traded(self, event: TradeExecuted, fact: Fact) -> None:
        symbol = symbol_of(fact.stream)
        self._books.change(symbol).traded(event)
        self._stands(symbol, fact)

    @on(OrderCanceled, OrderExpired)
    def _left(self, event: OrderCanceled | OrderExpired, fact: Fact) -> None:
        symbol = symbol_of(fact.stream)
        self._books.change(symbol).left(event)
        self._stands(symbol, fact)

    @on(OrderReplaced)
    def _replaced(self, event: OrderReplaced, fact: Fact) -> None:
        symbol = symbol_of(fact.stream)
        self._books.change(symbol).replaced(event)
        self._stands(symbol, fact)

    @on(Listed, ListingChanged, Halted, Resumed, DayRolled, OrderRejected)
    def _unchanged(self, _event: Event, fact: Fact) -> None:
        self._stands(symbol_of(fact.stream), fact)


async def book(views: Views, symbol: Symbol, *, levels: int = 10) -> Depth | None:
    """Return the best levels of each side; None if the symbol is not listed."""
    assert levels > 0
    answer = await views.read(
        VIEW,
        [
            ReadHighest(bids_key(symbol), levels),
            ReadLowest(asks_key(symbol), levels),
            ReadRows(STANDINGS, [symbol]),
        ],
    )
    bids, asks, (stored,) = answer.replies
    if stored is None:
        return None
    with decoding(VIEW, answer):
        standing = msgspec.json.decode(stored, type=Standing)
        return Depth(
            symbol=symbol,
            bids=[decode_level(member) for member in present(bids)],
            asks=[decode_level(member) for member in present(asks)],
            sequence=standing.sequence,
            log_position=standing.log_position,
            at=standing.at,
        )

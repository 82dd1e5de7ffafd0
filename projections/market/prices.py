"""The published price of each instrument, its session and its price series.

The price depends on the book after each fact, but nobody can see it between two
writes. So the projection computes the price only at the end of a second of event time
(for the series) and of a batch (for the row). The values do not depend on how the log
is cut into batches.
"""

from typing import ClassVar

from domain.events.event import Event
from domain.events.market import (
    DayRolled,
    Listed,
    ListingChanged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Fact
from domain.ids import Symbol, symbol_of
from domain.vocabulary import PriceBasis
from projections.market.book_levels import Book, BookLevels
from projections.market.price_message import price_message
from projections.market.price_rows import SECOND, PriceRow, point
from projections.projection import Projection, Rows, needs, on
from projections.store import (
    AddEntries,
    Change,
    KeepHighest,
    Message,
    RemoveFrom,
    View,
    encoded,
)

VIEW = View("prices")
ROWS = "symbols"

#: Points kept in the series of each symbol.
POINTS_KEPT = 3_600


def history_key(symbol: Symbol) -> str:
    """Return the name of a symbol's collection of points, scored by second."""
    return "history:" + symbol


class PricesProjection(Projection):
    """The fold of everything that moves a price."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._books = BookLevels()
        self._rows = Rows(ROWS, PriceRow)
        super().__init__(self._books, self._rows)
        self._forget()

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._forget()

    def _forget(self) -> None:
        self._points: dict[Symbol, dict[int, str]] = {}
        self._messages: list[Message] = []

    def _moves(self, fact: Fact) -> tuple[PriceRow, Book]:
        """Return the row and the book that a fact changes."""
        symbol = symbol_of(fact.stream)
        row, book = self._rows.change(symbol), self._books.change(symbol)
        at = fact.event.meta.at
        points = self._points.get(symbol)
        if points is None:
            self._points[symbol] = {}
        elif at // SECOND > row.as_of // SECOND:
            row.reprice(book)
            self._add_point(row)
        # A clock that is set back must not reorder the series.
        row.as_of = max(at, row.as_of)
        row.sequence = fact.version
        row.log_position = fact.position
        return row, book

    def _add_point(self, row: PriceRow) -> None:
        second = row.as_of // SECOND
        self._points[row.symbol][second] = encoded(point(row, second))

    @needs(
        Listed,
        ListingChanged,
        DayRolled,
        OrderAccepted,
        TradeExecuted,
        OrderCanceled,
        OrderExpired,
        OrderReplaced,
    )
    def _touches(self, _event: Event, fact: Fact) -> None:
        symbol = symbol_of(fact.stream)
        self._books.want(symbol)
        self._rows.want(symbol)

    @on(Listed)
    def _listed(self, event: Listed, fact: Fact) -> None:
        symbol, reference = symbol_of(fact.stream), event.listing.reference_price
        self._rows.put(
            symbol,
            PriceRow(
                symbol,
                reference,
                event.session_date,
                reference,
                PriceBasis.REFERENCE,
                event.meta.at,
                fact.version,
                fact.position,
            ),
        )
        self._moves(fact)

    @on(ListingChanged)
    def _changed(self, event: ListingChanged, fact: Fact) -> None:
        row, _ = self._moves(fact)
        row.reference = event.listing.reference_price

    @on(DayRolled)
    def _rolled(self, event: DayRolled, fact: Fact) -> None:
        row, _ = self._moves(fact)
        row.rolled(event.session_date, event.previous_close)

    @on(OrderAccepted)
    def _accepted(self, event: OrderAccepted, fact: Fact) -> None:
        _, book = self._moves(fact)
        book.accepted(event)

    @on(TradeExecuted)
    def _traded(self, event: TradeExecuted, fact: Fact) -> None:
        row, book = self._moves(fact)
        book.traded(event)
        row.traded(event.price, event.quantity)

    @on(OrderCanceled, OrderExpired)
    def _left(self, event: OrderCanceled | OrderExpired, fact: Fact) -> None:
        _, book = self._moves(fact)
        book.left(event)

    @on(OrderReplaced)
    def _replaced(self, event: OrderReplaced, fact: Fact) -> None:
        _, book = self._moves(fact)
        book.replaced(event)

    def changes(self) -> list[Change]:
        series: list[Change] = []
        messages: list[Message] = []
        for _, row in self._rows.changed():
            symbol = row.symbol
            row.reprice(self._books.book(symbol))
            self._add_point(row)
            points = self._points[symbol]
            key = history_key(symbol)
            series.append(RemoveFrom(key, min(points)))
            series.append(AddEntries(key, list(points.items())[-POINTS_KEPT:]))
            series.append(KeepHighest(key, POINTS_KEPT))
            messages.append(price_message(row))
        changes = super().changes() + series
        self._forget()
        self._messages = messages
        return changes

    def messages(self) -> list[Message]:
        """Return one price message for each instrument that changed."""
        return self._messages

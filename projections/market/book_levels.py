"""The price levels of order books, updated by market facts.

Depth and prices fold the same levels, each into its own collections. Each side has one
collection of encoded levels, scored by price. Within a command, the book may be
crossed, because an order is accepted before the trades that it causes. Between
commands, the book is never crossed.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

import msgspec

from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import Symbol
from domain.money import Price, Quantity
from domain.vocabulary import Side
from projections.store import (
    AddEntries,
    Change,
    Entry,
    Read,
    ReadHighest,
    ReadLowest,
    RemoveEntries,
    Reply,
    encoded,
    present,
)

#: The cache keeps at least this many recently used books.
BOOKS_KEPT = 2_000


class Level(msgspec.Struct, array_like=True, gc=False):
    """All resting orders at one price: their total quantity and their number."""

    price: Price
    quantity: Quantity
    orders: int


decode_level = msgspec.json.Decoder(Level).decode


def bids_key(symbol: Symbol) -> str:
    """Return the name of the collection of a symbol's bids."""
    return "bids:" + symbol


def asks_key(symbol: Symbol) -> str:
    """Return the name of the collection of a symbol's asks."""
    return "asks:" + symbol


class BookSide:
    """The levels of one side. `prices` are ascending."""

    __slots__ = ("_dirty", "_key", "_stored", "levels", "prices")

    def __init__(self, key: str, stored: list[bytes]) -> None:
        self._key = key
        levels = [decode_level(member) for member in stored]
        self.levels = {level.price: level for level in levels}
        self.prices = sorted(self.levels)
        self._stored = {level.price: encoded(level) for level in levels}
        self._dirty: dict[Price, None] = {}

    def add(self, price: Price, quantity: Quantity) -> None:
        """Add one order to a level."""
        self._dirty[price] = None
        level = self.levels.get(price)
        if level is None:
            self.levels[price] = Level(price, quantity, 1)
            insort(self.prices, price)
        else:
            level.quantity += quantity
            level.orders += 1

    def remove(self, price: Price, quantity: Quantity, *, orders: int) -> None:
        """Take a quantity and a number of orders from a level."""
        self._dirty[price] = None
        level = self.levels[price]
        level.quantity -= quantity
        level.orders -= orders
        if not level.orders:
            del self.levels[price]
            del self.prices[bisect_left(self.prices, price)]

    def changes(self) -> Iterator[Change]:
        """Yield the difference from the stored levels, once."""
        stored, gone, new = self._stored, list[Entry](), list[Entry]()
        for price in self._dirty:
            level = self.levels.get(price)
            member = encoded(level) if level is not None else None
            before = stored.pop(price, None)
            if member is not None:
                stored[price] = member
            if member == before:
                continue
            if before is not None:
                gone.append((int(price), before))
            if member is not None:
                new.append((int(price), member))
        self._dirty = {}
        if gone:
            yield RemoveEntries(self._key, gone)
        if new:
            yield AddEntries(self._key, new)


class Book:
    """Both sides of one instrument's book."""

    __slots__ = ("asks", "bids")

    def __init__(self, symbol: Symbol, bids: list[bytes], asks: list[bytes]) -> None:
        self.bids = BookSide(bids_key(symbol), bids)
        self.asks = BookSide(asks_key(symbol), asks)

    def side(self, side: Side) -> BookSide:
        """Return the side on which orders of this side rest."""
        return self.bids if side is Side.BUY else self.asks

    def accepted(self, event: OrderAccepted) -> None:
        """Add the resting part of an order."""
        if event.resting:
            assert event.limit_price is not None
            self.side(event.side).add(event.limit_price, event.resting)

    def traded(self, event: TradeExecuted) -> None:
        """Take the traded quantity from the maker's level."""
        maker = self.asks if event.taker_side is Side.BUY else self.bids
        maker.remove(event.price, event.quantity, orders=not event.maker_leaves)

    def left(self, event: OrderCanceled | OrderExpired) -> None:
        """Remove an order that was canceled or has expired, if it rested."""
        if event.resting_price is not None:
            self.side(event.side).remove(event.resting_price, event.quantity, orders=1)

    def replaced(self, event: OrderReplaced) -> None:
        """Remove the replaced order and add the resting part of its replacement."""
        side = self.side(event.side)
        side.remove(event.removed_price, event.removed, orders=1)
        if event.resting:
            side.add(event.limit_price, event.resting)


class BookLevels:
    """The cached books of all symbols that facts touch, as a projection's table.

    The cache holds whole books, because every batch touches a book that trades. The
    least recently used books are evicted.
    """

    def __init__(self) -> None:
        self.start(empty=False)

    def start(self, *, empty: bool) -> None:
        """Clear the cache. `empty` says that the store holds no levels yet."""
        self._young: dict[Symbol, Book] = {}
        self._old: dict[Symbol, Book] = {}
        self._dirty: dict[Symbol, Book] = {}
        self._wanted: dict[Symbol, None] = {}
        self._complete = empty

    def want(self, symbol: Symbol) -> None:
        """Request the book of a symbol that the batch touches."""
        if symbol in self._young:
            return
        book = self._old.pop(symbol, None)
        if book is not None:
            self._young[symbol] = book
        elif self._complete:
            self._young[symbol] = Book(symbol, [], [])
        else:
            self._wanted[symbol] = None

    def wanted(self) -> Iterator[Read]:
        """Yield two reads, bids and asks, for each book that is not cached."""
        for symbol in self._wanted:
            yield ReadHighest(bids_key(symbol), 0)
            yield ReadLowest(asks_key(symbol), 0)

    def load(self, replies: Iterator[Reply]) -> None:
        """Decode and cache the books that `wanted` read."""
        for symbol in self._wanted:
            bids, asks = present(next(replies)), present(next(replies))
            self._young[symbol] = Book(symbol, bids, asks)
        self._wanted = {}

    def book(self, symbol: Symbol) -> Book:
        """Return the current book. The book must have been requested."""
        return self._young[symbol]

    def change(self, symbol: Symbol) -> Book:
        """Return a book for the caller to change, and mark it as changed."""
        book = self._dirty[symbol] = self._young[symbol]
        return book

    def changes(self) -> Iterator[Change]:
        """Yield the changed levels, then evict old books if the cache is full."""
        for book in self._dirty.values():
            yield from book.bids.changes()
            yield from book.asks.changes()
        self._dirty = {}
        if len(self._young) > BOOKS_KEPT:
            self._complete = self._complete and not self._old
            self._old, self._young = self._young, {}

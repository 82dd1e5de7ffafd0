"""The price of one instrument (rule PRICE-01), and the figures of its session.

>>> microprice(bid=100_000, ask=100_100, bid_quantity=300, ask_quantity=100)
100075
>>> microprice(bid=100_000, ask=100_001, bid_quantity=1, ask_quantity=1)
100000
"""

import msgspec

from domain.events.event import Timestamp
from domain.ids import LogPosition, Symbol
from domain.money import NO_MONEY, NO_SHARES, Money, Price, Quantity, divide_half_even
from domain.vocabulary import PriceBasis
from projections.market.book_levels import Book, BookSide

#: The number of best levels on each side whose quantities weigh the price.
LEVELS_WEIGHED = 5
SECOND = 1_000_000


class PriceRow(msgspec.Struct, array_like=True, gc=False):
    """An instrument's published price and the figures published with it.

    `open`, `high`, `low`, `close`, `volume`, `notional` and `trades` belong to the
    current session. `last` is the price of the newest trade of any session. `as_of` is
    the time of the newest fact that could move the price. `sequence` is that fact's
    version in the market's stream.
    """

    symbol: Symbol
    reference: Price
    session_date: str
    price: Price
    basis: PriceBasis
    as_of: Timestamp
    sequence: int
    log_position: LogPosition
    last: Price | None = None
    bid: Price | None = None
    ask: Price | None = None
    bid_size: Quantity = NO_SHARES
    ask_size: Quantity = NO_SHARES
    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    close: Price | None = None
    volume: Quantity = NO_SHARES
    notional: Money = NO_MONEY
    trades: int = 0
    previous_close: Price | None = None

    @property
    def mid(self) -> Price | None:
        """The mean of the best bid and ask, rounded half-even."""
        if self.bid is None or self.ask is None:
            return None
        return divide_half_even(self.bid + self.ask, 2)

    @property
    def vwap(self) -> Price | None:
        """The session's notional divided by its volume, rounded half-even."""
        return divide_half_even(self.notional, self.volume) if self.volume else None

    @property
    def change(self) -> Price | None:
        """The difference from the previous close."""
        if self.previous_close is None:
            return None
        return self.price - self.previous_close

    @property
    def change_percent(self) -> int | None:
        """The change in 1/10,000 of a percent of the previous close, half-even."""
        change = self.change
        if change is None or not self.previous_close:
            return None
        size = divide_half_even(abs(change) * 1_000_000, self.previous_close)
        return size if change >= 0 else -size

    def traded(self, price: Price, quantity: Quantity) -> None:
        """Add a trade to the session's figures (rule PRICE-02)."""
        if self.open is None or self.high is None or self.low is None:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.last = self.close = price
        self.volume += quantity
        self.notional += price * quantity
        self.trades += 1

    def rolled(self, session_date: str, previous_close: Price | None) -> None:
        """Begin a session (rule PRICE-02)."""
        self.session_date = session_date
        self.previous_close = previous_close
        self.open = self.high = self.low = self.close = None
        self.volume, self.notional, self.trades = NO_SHARES, NO_MONEY, 0

    def reprice(self, book: Book) -> None:
        """Set the price from the book and the last trade (rule PRICE-01)."""
        bids, asks = book.bids, book.asks
        self.bid = bids.prices[-1] if bids.prices else None
        self.ask = asks.prices[0] if asks.prices else None
        self.bid_size = (
            NO_SHARES if self.bid is None else bids.levels[self.bid].quantity
        )
        self.ask_size = (
            NO_SHARES if self.ask is None else asks.levels[self.ask].quantity
        )
        if self.bid is not None and self.ask is not None:
            self.basis = PriceBasis.MICROPRICE
            self.price = microprice(
                bid=self.bid,
                ask=self.ask,
                bid_quantity=_quantity(bids, bids.prices[-LEVELS_WEIGHED:]),
                ask_quantity=_quantity(asks, asks.prices[:LEVELS_WEIGHED]),
            )
        elif self.last is not None:
            self.basis, self.price = PriceBasis.LAST, self.last
        else:
            self.basis, self.price = PriceBasis.REFERENCE, self.reference


def _quantity(side: BookSide, prices: list[Price]) -> Quantity:
    levels = side.levels
    return sum((levels[price].quantity for price in prices), NO_SHARES)


def microprice(
    *, bid: Price, ask: Price, bid_quantity: Quantity, ask_quantity: Quantity
) -> Price:
    """Weigh the bid by the ask quantity and the ask by the bid quantity.

    The result is never outside the spread.
    """
    weighed = bid * ask_quantity + ask * bid_quantity
    return divide_half_even(weighed, bid_quantity + ask_quantity)


class PricePoint(msgspec.Struct, array_like=True, gc=False):
    """The price at the end of one second of event time (rule PRICE-03).

    `second` counts from 1970-01-01 UTC. `volume` is the session's volume up to then.
    """

    second: int
    price: Price
    basis: PriceBasis
    last: Price | None
    bid: Price | None
    ask: Price | None
    volume: Quantity


def point(row: PriceRow, second: int) -> PricePoint:
    """Return the point that a row gives for one second."""
    return PricePoint(
        second, row.price, row.basis, row.last, row.bid, row.ask, row.volume
    )

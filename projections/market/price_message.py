"""The message on `bourse:prices:{symbol}` after each write (rule PRICE-04)."""

from datetime import UTC, datetime, timedelta

import msgspec

from domain.events.event import Timestamp
from domain.ids import Symbol
from domain.money import Price, Quantity, text
from projections.market.price_rows import PriceRow
from projections.store import Message, encoded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PriceMessage(msgspec.Struct, frozen=True):
    """A published price. Prices are decimal strings in dollars, or null."""

    symbol: Symbol
    price: str
    time: str
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    previous_close: str | None
    volume: Quantity
    sequence: int
    basis: str
    bid: str | None
    ask: str | None


def channel(symbol: Symbol) -> str:
    """Return the name of the Redis channel for one symbol."""
    return "bourse:prices:" + symbol


def price_message(row: PriceRow) -> Message:
    """Return the channel and the encoded message for an instrument's row."""
    message = PriceMessage(
        symbol=row.symbol,
        price=text(row.price),
        time=instant(row.as_of),
        open=_optional(row.open),
        high=_optional(row.high),
        low=_optional(row.low),
        close=_optional(row.close),
        previous_close=_optional(row.previous_close),
        volume=row.volume,
        sequence=row.sequence,
        basis=row.basis,
        bid=_optional(row.bid),
        ask=_optional(row.ask),
    )
    return channel(row.symbol), encoded(message)


def _optional(price: Price | None) -> str | None:
    return None if price is None else text(price)


def instant(at: Timestamp) -> str:
    """Format a time in RFC 3339, UTC, with microseconds.

    >>> instant(1_700_000_000_000_001)
    '2023-11-14T22:13:20.000001Z'
    """
    moment = EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

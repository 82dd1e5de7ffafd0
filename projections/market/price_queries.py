"""Queries for prices: one, several, and the series of one instrument."""

from collections.abc import Sequence

import msgspec

from domain.events.event import Timestamp
from domain.ids import Symbol
from projections.market.price_rows import SECOND, PricePoint, PriceRow
from projections.market.prices import POINTS_KEPT, ROWS, VIEW, history_key
from projections.readable import decoding
from projections.store import (
    ReadAllRows,
    ReadBetween,
    ReadResult,
    ReadRows,
    Request,
    Views,
    in_pairs,
    present,
)


def price_request(symbol: Symbol) -> Request:
    """Return the read of one instrument's price, for `price_of`."""
    return Request(VIEW, [ReadRows(ROWS, [symbol])])


def price_of(result: ReadResult) -> PriceRow | None:
    """Return the price that was read; None if the symbol is not listed."""
    ((stored,),) = result.replies
    with decoding(VIEW, result):
        return None if stored is None else msgspec.json.decode(stored, type=PriceRow)


async def price(views: Views, symbol: Symbol) -> PriceRow | None:
    """Return one instrument's price; None if the symbol is not listed."""
    (result,) = await views.read_at_once([price_request(symbol)])
    return price_of(result)


def prices_request(symbols: Sequence[Symbol]) -> Request:
    """Return the read of several prices, for `prices_of`."""
    return Request(VIEW, [ReadRows(ROWS, symbols)])


def prices_of(result: ReadResult) -> dict[Symbol, PriceRow]:
    """Return the prices that were read. Unknown symbols are skipped."""
    return {row.symbol: row for row in _rows(result, present(result.replies[0]))}


async def prices(
    views: Views, symbols: Sequence[Symbol] | None = None
) -> list[PriceRow]:
    """Return prices by symbol: all of them, or those of `symbols`.

    Unknown symbols are skipped.
    """
    if symbols is None:
        answer = await views.read(VIEW, [ReadAllRows(ROWS)])
        rows = _rows(answer, [stored for _, stored in in_pairs(answer.replies[0])])
    else:
        (answer,) = await views.read_at_once([prices_request(symbols)])
        rows = list(prices_of(answer).values())
    return sorted(rows, key=lambda row: row.symbol)


def _rows(answer: ReadResult, stored: Sequence[bytes]) -> list[PriceRow]:
    decode = msgspec.json.Decoder(PriceRow).decode
    with decoding(VIEW, answer):
        return [decode(value) for value in stored]


def history_request(
    symbol: Symbol,
    *,
    after: Timestamp | None = None,
    until: Timestamp | None = None,
    newest_first: bool = False,
    limit: int = POINTS_KEPT,
) -> Request:
    """Return the read of a price series between two exclusive bounds."""
    page = ReadBetween(
        history_key(symbol),
        after=None if after is None else after // SECOND,
        until=None if until is None else -(-until // SECOND),
        highest_first=newest_first,
        count=limit,
    )
    return Request(VIEW, [page])


def history_of(result: ReadResult) -> list[PricePoint]:
    """Return the price at the end of each second in which it could change."""
    decode = msgspec.json.Decoder(PricePoint).decode
    with decoding(VIEW, result):
        return [decode(member) for member, _ in in_pairs(result.replies[0])]

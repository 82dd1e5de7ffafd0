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


async def prices(
    views: Views, symbols: Sequence[Symbol] | None = None
) -> list[PriceRow]:
    """Return prices by symbol: all of them, or those of `symbols`.

    Unknown symbols are skipped.
    """
    decode = msgspec.json.Decoder(PriceRow).decode
    if symbols is None:
        answer = await views.read(VIEW, [ReadAllRows(ROWS)])
        values = [stored for _, stored in in_pairs(answer.replies[0])]
    else:
        answer = await views.read(VIEW, [ReadRows(ROWS, symbols)])
        values = present(answer.replies[0])
    with decoding(VIEW, answer):
        rows = [decode(stored) for stored in values]
    return sorted(rows, key=lambda row: row.symbol)


async def history(
    views: Views,
    symbol: Symbol,
    *,
    after: Timestamp | None = None,
    until: Timestamp | None = None,
    newest_first: bool = False,
    limit: int = POINTS_KEPT,
) -> list[PricePoint]:
    """Return the price at the end of each second in which it could change.

    Both bounds are exclusive.
    """
    page = ReadBetween(
        history_key(symbol),
        after=None if after is None else after // SECOND,
        until=None if until is None else -(-until // SECOND),
        highest_first=newest_first,
        count=limit,
    )
    answer = await views.read(VIEW, [page])
    decode = msgspec.json.Decoder(PricePoint).decode
    with decoding(VIEW, answer):
        return [decode(member) for member, _ in in_pairs(answer.replies[0])]

"""Queries for orders: by id, by the client's id, as lists, and their fills.

Each list comes from one log position: no order is missing from it because it was
replaced meanwhile (rule VIEW-03).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import product
from typing import TypeVar, cast

import msgspec

from domain.events.event import Timestamp
from domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from domain.market.order import OPEN_STATUSES
from domain.vocabulary import OrderStatus, Side
from projections.orders.orders import (
    CLIENT_IDS,
    EVERY_OTHER,
    FILLS,
    INSTRUMENTS,
    LISTED_SINGLY,
    RECORDS,
    VIEW,
    Fill,
    Instruments,
    OrderRecord,
    client_id_field,
    closed_key,
    fill_field,
    open_key,
)
from projections.readable import decoding
from projections.store import (
    ReadListed,
    ReadReferred,
    ReadResult,
    ReadRows,
    Views,
    present,
)

T = TypeVar("T")

OPEN = tuple(status for status in OrderStatus if status in OPEN_STATUSES)
CLOSED = tuple(status for status in OrderStatus if status not in OPEN_STATUSES)
ALL = tuple(OrderStatus)
_decode_fill = msgspec.json.Decoder(Fill).decode
_decode_instruments = msgspec.json.Decoder(Instruments).decode
_decode_record = msgspec.json.Decoder(OrderRecord).decode
#: The most fills that one query returns.
FILLS_MAX = 1_000


async def order(views: Views, order_id: OrderId) -> OrderRecord | None:
    """Return one order of any account. The caller must check who owns it."""
    return next(iter(await by_ids(views, [order_id])), None)


async def by_ids(views: Views, order_ids: Sequence[OrderId]) -> list[OrderRecord]:
    """Return those of these orders that exist, of any account."""
    answer = await views.read(VIEW, [ReadRows(RECORDS, order_ids)])
    with decoding(VIEW, answer):
        return [_decode_record(stored) for stored in present(answer.replies[0])]


async def by_client_order_id(
    views: Views, account_id: AccountId, client_order_id: ClientOrderId
) -> OrderRecord | None:
    """Return an account's order by the client's id, or None."""
    field = client_id_field(account_id, client_order_id)
    answer = await views.read(VIEW, [ReadReferred(CLIENT_IDS, RECORDS, [field])])
    ((stored,),) = answer.replies
    with decoding(VIEW, answer):
        return None if stored is None else _decode_record(stored)


async def fills(
    views: Views, record: OrderRecord, *, first: int = 0, limit: int = FILLS_MAX
) -> list[Fill]:
    """Return the fills that an order's record counts, oldest first, from a number on.

    A fill never changes, so these are the same at a later log position.
    """
    last = min(first + limit, record.fills)
    fields = [fill_field(record.order_id, number) for number in range(first, last)]
    answer = await views.read(VIEW, [ReadRows(FILLS, fields)])
    return _decoded(answer, _decode_fill)


async def orders(
    views: Views,
    account_id: AccountId,
    *,
    statuses: Sequence[OrderStatus] = OPEN,
    after: Timestamp | None = None,
    until: Timestamp | None = None,
    newest_first: bool = True,
    side: Side | None = None,
    symbols: Collection[Symbol] = (),
    limit: int = 50,
) -> list[OrderRecord]:
    """Return an account's orders by submission time, between two exclusive bounds.

    `statuses` may be OPEN, CLOSED, ALL or any selection. No symbols means all symbols.
    The work is bounded by `limit`, the number of symbols, and the account's open orders
    (rule VIEW-19).
    """

    symbols = sorted(set(symbols))

    def listed(instruments: Collection[Symbol]) -> ReadListed:
        keys = _collections(account_id, statuses, side, instruments)
        return ReadListed(
            collections=list(keys),
            table=RECORDS,
            after=after,
            until=until,
            highest_first=newest_first,
            count=limit,
            words=[[side] if side else [], symbols],
        )

    if symbols or OPEN_STATUSES.issuperset(statuses):
        return _decoded(await views.read(VIEW, [listed(symbols)]), _decode_record)
    ordered_in = ReadRows(INSTRUMENTS, [account_id])
    known = await views.read(VIEW, [ordered_in])
    while True:
        reads = [listed(_instruments(known)), ordered_in]
        newest = await views.read(VIEW, reads)
        if newest.replies[-1] == known.replies[-1]:
            return _decoded(newest, _decode_record)
        # Meanwhile came the account's first order in another instrument.
        known = newest


def _collections(
    account_id: AccountId,
    statuses: Sequence[OrderStatus],
    side: Side | None,
    instruments: Collection[Symbol],
) -> Iterator[str]:
    """Yield the collections that hold the matches; no other closed order is in them."""
    for status in statuses:
        if status in OPEN_STATUSES:
            yield open_key(account_id, status)
            continue
        for each, symbol in product([side] if side else Side, instruments):
            yield closed_key(account_id, status, each, symbol)


def _instruments(answer: ReadResult) -> list[Symbol]:
    """Return the names of the collections with the closed orders of an account."""
    (stored,) = answer.replies[-1]
    if stored is None:
        return []
    with decoding(VIEW, answer):
        numbers = _decode_instruments(stored).numbers
    listed = [symbol for symbol, number in numbers.items() if number < LISTED_SINGLY]
    return [*listed, EVERY_OTHER] if len(listed) < len(numbers) else listed


def _decoded(answer: ReadResult, decode: Callable[[bytes], T]) -> list[T]:
    """Return the rows of the first reply, each of which must exist."""
    with decoding(VIEW, answer):
        return [decode(cast(bytes, value)) for value in answer.replies[0]]

"""Queries for orders: by id, by the client's id, as lists, and their fills."""

from collections.abc import Collection, Sequence

import msgspec

from domain.events.event import Timestamp
from domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from domain.market.order import OPEN_STATUSES
from domain.vocabulary import OrderStatus, Side
from projections.orders.orders import (
    CLIENT_IDS,
    FILLS,
    RECORDS,
    VIEW,
    Fill,
    OrderRecord,
    client_id_field,
    fill_field,
    index_key,
)
from projections.store import ReadBetween, ReadRows, Views, in_pairs, present

OPEN = tuple(status for status in OrderStatus if status in OPEN_STATUSES)
CLOSED = tuple(status for status in OrderStatus if status not in OPEN_STATUSES)
ALL = tuple(OrderStatus)
PAGE = 2_000


async def order(views: Views, order_id: OrderId) -> OrderRecord | None:
    """Return one order of any account. The caller must check who owns it."""
    records = await _records(views, [order_id])
    return records[0] if records else None


async def by_client_order_id(
    views: Views, account_id: AccountId, client_order_id: ClientOrderId
) -> OrderRecord | None:
    """Return an account's order by the client's id, or None."""
    field = client_id_field(account_id, client_order_id)
    ((order_id,),) = (await views.read(VIEW, [ReadRows(CLIENT_IDS, [field])])).replies
    return None if order_id is None else await order(views, OrderId(order_id.decode()))


async def fills(views: Views, order_id: OrderId) -> list[Fill]:
    """Return the fills of one order, oldest first."""
    record = await order(views, order_id)
    if record is None or not record.fills:
        return []
    fields = [fill_field(order_id, number) for number in range(record.fills)]
    (reply,) = (await views.read(VIEW, [ReadRows(FILLS, fields)])).replies
    decode = msgspec.json.Decoder(Fill).decode
    return [decode(value) for value in present(reply)]


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
    """
    wanted = _Wanted(side, frozenset(symbols))
    count = PAGE if wanted.narrows else limit + 1
    matches: list[OrderRecord] = []
    while len(matches) < limit:
        page = await _page(
            views, account_id, statuses, (after, until), newest_first, count
        )
        ids = [OrderId(each.split(b" ", 1)[0].decode()) for each in wanted.of(page)]
        matches += await _standing(views, ids, statuses, limit - len(matches))
        if page.frontier is None:
            break
        if not page.complete:
            # Every order of the page has the same submission time: read a larger page.
            count *= 2
        elif newest_first:
            until = page.frontier + 1
        else:
            after = page.frontier - 1
    return matches


async def _standing(
    views: Views,
    order_ids: Sequence[OrderId],
    statuses: Collection[OrderStatus],
    limit: int,
) -> list[OrderRecord]:
    """Return up to `limit` orders that still have one of the statuses.

    An order may have changed its status since the index was read.
    """
    matches: list[OrderRecord] = []
    ids = list(order_ids)
    while ids and len(matches) < limit:
        part, ids = ids[: limit - len(matches)], ids[limit - len(matches) :]
        records = await _records(views, part)
        matches += [each for each in records if each.status in statuses]
    return matches


class _Wanted(msgspec.Struct, frozen=True):
    side: Side | None
    symbols: frozenset[Symbol]

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return self.side is not None or bool(self.symbols)

    def of(self, page: "_Page") -> list[bytes]:
        """Return the members of a page that match the filters."""
        members = [member for _, member in page.complete]
        return (
            [each for each in members if self._has(each)] if self.narrows else members
        )

    def _has(self, member: bytes) -> bool:
        _, side, symbol = member.decode().split(" ", 2)
        return (self.side is None or side == self.side) and (
            not self.symbols or symbol in self.symbols
        )


class _Page(msgspec.Struct, frozen=True):
    """Index entries in order, without gaps.

    `frontier` is the time at which the page was cut off, None if it is the last page.
    """

    complete: list[tuple[int, bytes]]
    frontier: Timestamp | None


async def _page(
    views: Views,
    account_id: AccountId,
    statuses: Sequence[OrderStatus],
    bounds: tuple[Timestamp | None, Timestamp | None],
    newest_first: bool,
    count: int,
) -> _Page:
    """Merge the next entries of each status's index, all read in one atomic step."""
    reads = [
        ReadBetween(
            index_key(account_id, status),
            after=bounds[0],
            until=bounds[1],
            highest_first=newest_first,
            count=count,
        )
        for status in statuses
    ]
    entries: list[tuple[int, bytes]] = []
    cuts: list[Timestamp] = []
    for reply in (await views.read(VIEW, reads)).replies:
        part = [(int(score), member) for member, score in in_pairs(reply)]
        entries += part
        if len(part) == count:
            cuts.append(part[-1][0])
    entries.sort(reverse=newest_first)
    if not cuts:
        return _Page(entries, None)
    if newest_first:
        frontier = max(cuts)
        return _Page([each for each in entries if each[0] > frontier], frontier)
    frontier = min(cuts)
    return _Page([each for each in entries if each[0] < frontier], frontier)


async def _records(views: Views, order_ids: Sequence[OrderId]) -> list[OrderRecord]:
    (reply,) = (await views.read(VIEW, [ReadRows(RECORDS, order_ids)])).replies
    decode = msgspec.json.Decoder(OrderRecord).decode
    return [decode(value) for value in present(reply)]

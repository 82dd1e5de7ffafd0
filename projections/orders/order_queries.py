"""Queries for orders: by id, by the client's id, as lists, and their fills.

Each list comes from one read, and so from one log position: no order is missing from it
because it was replaced meanwhile (rule VIEW-03).
"""

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
from projections.store import ReadListed, ReadReferred, ReadRows, Reply, Views, present

OPEN = tuple(status for status in OrderStatus if status in OPEN_STATUSES)
CLOSED = tuple(status for status in OrderStatus if status not in OPEN_STATUSES)
ALL = tuple(OrderStatus)
#: Orders that one read examines at most: Redis does nothing else meanwhile.
SCAN = 2_000


async def order(views: Views, order_id: OrderId) -> OrderRecord | None:
    """Return one order of any account. The caller must check who owns it."""
    (reply,) = (await views.read(VIEW, [ReadRows(RECORDS, [order_id])])).replies
    return _first(reply)


async def by_client_order_id(
    views: Views, account_id: AccountId, client_order_id: ClientOrderId
) -> OrderRecord | None:
    """Return an account's order by the client's id, or None."""
    field = client_id_field(account_id, client_order_id)
    read = ReadReferred(CLIENT_IDS, RECORDS, [field])
    (reply,) = (await views.read(VIEW, [read])).replies
    return _first(reply)


async def fills(views: Views, order_id: OrderId) -> list[Fill]:
    """Return the fills of one order, oldest first.

    A fill never changes. So the fills that the order had at the first read are the same
    at the second.
    """
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
    Filters that match few of very many orders take several reads, newest or oldest
    orders first; each read comes from one log position.
    """
    matches: list[OrderRecord] = []
    while True:
        read = ReadListed(
            collections=[index_key(account_id, status) for status in statuses],
            table=RECORDS,
            after=after,
            until=until,
            highest_first=newest_first,
            count=limit - len(matches),
            scan=SCAN,
            words=[[side] if side else [], sorted(symbols)],
        )
        (reply,) = (await views.read(VIEW, [read])).replies
        frontier, *rows = reply
        matches += _decoded(rows)
        if frontier is None or len(matches) >= limit:
            return matches
        if newest_first:
            until = Timestamp(frontier)
        else:
            after = Timestamp(frontier)


def _first(reply: Reply) -> OrderRecord | None:
    records = _decoded(reply)
    return records[0] if records else None


def _decoded(reply: Reply) -> list[OrderRecord]:
    decode = msgspec.json.Decoder(OrderRecord).decode
    return [decode(value) for value in present(reply)]

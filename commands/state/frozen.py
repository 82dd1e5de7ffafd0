"""The writer's state as plain data, for snapshots and state hashes.

Each aggregate defines its frozen form; this module defines those of the indexes. Equal
states freeze to equal bytes, whether commands, replay or a snapshot produced them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import msgspec

from commands.state.exchange import Exchange
from commands.state.order_index import OrderEntry
from commands.state.register import Use
from domain.aggregate import Aggregate, Frozen
from domain.aggregates import AGGREGATES
from domain.ids import AccountId, ClientOrderId, LogPosition, OrderId

K = TypeVar("K")
V = TypeVar("V")
#: Entries of an index in one chunk, which is then a few megabytes.
SLICE = 50_000


class FrozenHead(msgspec.Struct, array_like=True):
    """The first chunk: the log position of the newest fact in the state."""

    position: LogPosition


class FrozenOrders(msgspec.Struct, array_like=True, gc=False, tag="orders"):
    """A slice of one account's orders or client order ids."""

    account_id: AccountId
    orders: dict[OrderId, OrderEntry]
    ids: dict[ClientOrderId, OrderId]

    def thaw(self, exchange: Exchange) -> None:
        """Add the slice to the account's orders and client order ids."""
        if self.orders:
            orders = exchange.orders.accounts
            orders.setdefault(self.account_id, {}).update(self.orders)
        if self.ids:
            ids = exchange.register.client_ids
            ids.setdefault(self.account_id, {}).update(self.ids)


class FrozenRegister(msgspec.Struct, array_like=True, gc=False, tag="register"):
    """A slice of the register of keys and references."""

    uses: dict[str, Use]

    def thaw(self, exchange: Exchange) -> None:
        """Add the slice to the register."""
        exchange.register.uses.update(self.uses)


Chunk: TypeAlias = Frozen | FrozenOrders | FrozenRegister
_KINDS: list[Any] = [
    *(each.frozen_type for each in AGGREGATES.values()),
    FrozenOrders,
    FrozenRegister,
]
#: The union of all kinds of chunks; their tags distinguish them.
_ANY_KIND: Any = reduce(lambda one, other: one | other, _KINDS)


def state_hash(aggregate: Aggregate) -> str:
    """Return a fingerprint of an aggregate's whole state, including its version."""
    return hashlib.sha256(msgspec.msgpack.encode(aggregate.freeze())).hexdigest()


def dump(exchange: Exchange) -> Iterator[bytes]:
    """Yield the whole state in chunks: the head, each aggregate, then index slices."""
    encode = msgspec.msgpack.Encoder().encode
    yield encode(FrozenHead(exchange.position))
    for aggregate in exchange.streams.values():
        yield encode(aggregate.freeze())
    for account_id, orders in exchange.orders.accounts.items():
        for entries in _slices(orders):
            yield encode(FrozenOrders(account_id, entries, {}))
    for account_id, client_ids in exchange.register.client_ids.items():
        for ids in _slices(client_ids):
            yield encode(FrozenOrders(account_id, {}, ids))
    for uses in _slices(exchange.register.uses):
        yield encode(FrozenRegister(uses))


def _slices(entries: dict[K, V]) -> Iterator[dict[K, V]]:
    """Cut an index, which only grows, into slices that each fit into one row."""
    items = iter(entries.items())
    while part := dict(islice(items, SLICE)):
        yield part


def load(chunks: Iterable[bytes]) -> Exchange:
    """Return the state that `dump` wrote.

    Raises:
        msgspec.DecodeError: the chunks have another form, or there are none.
    """
    exchange = Exchange()
    decode = msgspec.msgpack.Decoder[Chunk](_ANY_KIND).decode
    stream = iter(chunks)
    # Without chunks, decoding the empty bytes raises DecodeError.
    head = msgspec.msgpack.decode(next(stream, b""), type=FrozenHead)
    for chunk in stream:
        frozen = decode(chunk)
        if isinstance(frozen, Frozen):
            exchange.aggregate(frozen.stream).thaw(frozen)
        else:
            frozen.thaw(exchange)
    exchange.position = head.position
    return exchange

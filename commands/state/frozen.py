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
from domain.ids import LogPosition

T = TypeVar("T")
#: Entries in one chunk, which is then a few megabytes.
SLICE = 50_000


class FrozenHead(msgspec.Struct, array_like=True):
    """The first chunk: the log position of the newest fact in the state."""

    position: LogPosition


class FrozenOrders(msgspec.Struct, array_like=True, gc=False, tag="finished-orders"):
    """A slice of the finished orders, in the order of their window.

    Open orders are missing: each is in the book of its market.
    """

    entries: list[OrderEntry]
    spared: bool

    def thaw(self, exchange: Exchange) -> None:
        """Add the slice to the index of orders."""
        for entry in self.entries:
            exchange.orders.restore_finished(entry, spared=self.spared)


class FrozenUses(msgspec.Struct, array_like=True, gc=False, tag="uses"):
    """A slice of the register, in the order of its window."""

    uses: list[Use]
    spared: bool

    def thaw(self, exchange: Exchange) -> None:
        """Add the slice to the register."""
        for use in self.uses:
            exchange.register.restore(use, spared=self.spared)


Chunk: TypeAlias = Frozen | FrozenOrders | FrozenUses
_KINDS: list[Any] = [
    *(each.frozen_type for each in AGGREGATES.values()),
    FrozenOrders,
    FrozenUses,
]
#: The union of all kinds of chunks; their tags distinguish them.
_ANY_KIND: Any = reduce(lambda one, other: one | other, _KINDS)


def state_hash(aggregate: Aggregate) -> str:
    """Return a fingerprint of an aggregate's whole state, including its version."""
    return hashlib.sha256(msgspec.msgpack.encode(aggregate.freeze())).hexdigest()


def dump(exchange: Exchange) -> Iterator[bytes]:
    """Yield the whole state in chunks: the head, each aggregate, the indexes."""
    encode = msgspec.msgpack.Encoder().encode
    yield encode(FrozenHead(exchange.position))
    for aggregate in exchange.streams.values():
        yield encode(aggregate.freeze())
    orders, register = exchange.orders.window, exchange.register
    for entries in _slices(orders.spared.values()):
        yield encode(FrozenOrders(entries, spared=True))
    for entries in _slices(orders.recent):
        yield encode(FrozenOrders(entries, spared=False))
    for uses in _slices(use for use in register.uses.values() if not use.at):
        yield encode(FrozenUses(uses, spared=False))
    for uses in _slices(register.window.spared.values()):
        yield encode(FrozenUses(uses, spared=True))
    for uses in _slices(register.window.recent):
        yield encode(FrozenUses(uses, spared=False))


def _slices(entries: Iterable[T]) -> Iterator[list[T]]:
    """Cut entries into slices that each fit into one row."""
    rest = iter(entries)
    while part := list(islice(rest, SLICE)):
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
    for market in exchange.markets.values():
        for order in market.book.orders.values():
            exchange.orders.restore_open(order, market.stream)
    exchange.position = head.position
    return exchange

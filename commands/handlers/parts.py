"""Commands that expand to parts, which the writer decides one after another.

A part has a name unless it only prepares the others. The first part of a keyed command
is the use of its key, with the names of the other parts. A repeated command has the
same parts, and the writer retries the parts that it refused before.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from commands.keys import content_digest, part_meta
from commands.messages import (
    CancelAllOrders,
    CloseAllPositions,
    ClosePosition,
    Command,
    PlaceOrders,
    UseKey,
)
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from domain.errors import NotFound
from domain.ids import OrderId, Symbol

Parts: TypeAlias = Iterator[tuple[str, Command]]
Expansion: TypeAlias = Callable[[Exchange, Any], Parts]


def place_orders(exchange: Exchange, command: PlaceOrders) -> Parts:
    """Yield each order of a batch under its number.

    Raises:
        Conflict: the batch's key was used for other content.
    """
    if command.meta.key is not None:
        with contextlib.suppress(Repeated):
            exchange.register.check_command(command.meta)
        yield "", UseKey(command.meta)
    for number, order in command.orders:
        yield str(number), order


def cancel_all_orders(_: Exchange, command: CancelAllOrders) -> Parts:
    """Yield the command itself, which the writer may have to carry out in slices."""
    yield "", command


def close_all_positions(exchange: Exchange, command: CloseAllPositions) -> Parts:
    """Yield a cancel of all orders if the command says so, then a sale per position.

    Raises:
        NotFound: the account does not exist.
        Conflict: the key was used for other content.
    """
    meta, account_id = command.meta, command.account_id
    wallet = exchange.wallets.get(account_id)
    if wallet is None:
        raise NotFound("account", account_id)
    symbols = tuple(s for s, holding in wallet.holdings.items() if holding.quantity)
    if meta.key is not None:
        try:
            exchange.register.check_command(meta)
        except Repeated as repeated:
            symbols = tuple(map(Symbol, repeated.use.parts))
        yield "", UseKey(meta, symbols)
    digest = content_digest("close-all")
    if command.cancel_orders:
        part = part_meta(meta, "orders", after=0, digest=digest)
        yield "", CancelAllOrders(part, account_id)
    for number, symbol in enumerate(symbols, 1):
        part = part_meta(meta, symbol, after=number, digest=digest)
        yield symbol, ClosePosition(part, account_id, symbol, OrderId(part.command_id))


EXPANSIONS: dict[type[Command], Expansion] = {
    PlaceOrders: place_orders,
    CancelAllOrders: cancel_all_orders,
    CloseAllPositions: close_all_positions,
}

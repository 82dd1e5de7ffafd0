"""Handlers of commands that may end many orders: cancel-all and the day roll.

The writer decides nothing else while it decides a command, so a command ends at most
`ENDED_MAX` orders. If there are more, the command only records that it was accepted.
The writer then carries it on in slices, with other commands between them. What was
accepted is part of the state, so after a crash the next leader carries it on.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from commands.handlers.trading import cancel
from commands.handlers.wallet_effects import apply_to_wallets
from commands.messages import (
    CancelAllOrders,
    ContinueCancelAll,
    ContinueDayRoll,
    RollDay,
)
from commands.state.exchange import Exchange
from domain.accounts.wallet import Wallet
from domain.events.event import Meta, Timestamp
from domain.ids import (
    CommandId,
    OrderId,
    account_of,
    derived_id,
    market_stream,
    symbol_of,
)
from domain.market.market import Market
from domain.vocabulary import DAY, CancelReason, OrderStatus

#: A command ends at most this many orders. It decides them in 4 ms, and their 1,000
#: facts take 15 ms to commit.
ENDED_MAX = 500
#: A command looks at no more orders than this; looking at one takes 0.4 microseconds.
SEEN_MAX = 5_000

#: The commands that continue an accepted one. None stands for orders that were seen and
#: need nothing.
Slices: TypeAlias = Iterator[ContinueCancelAll | ContinueDayRoll | None]
Now: TypeAlias = Callable[[], Timestamp]


def cancel_all_orders(exchange: Exchange, command: CancelAllOrders) -> None:
    """Cancel the account's open orders, only those in `symbols` if there are any.

    Raises:
        CancelAllInProgress: this needs slices, and an earlier one is in progress.
    """
    symbols = tuple(exchange.market(each).book.symbol for each in command.symbols)
    wallet = exchange.wallet(command.account_id)
    if wallet.open_orders > ENDED_MAX:
        wallet.accept_cancel_all(symbols, meta=command.meta)
        return
    for order_id in wallet.backed_orders():
        entry = exchange.orders.of(command.account_id, order_id)
        assert entry is not None, "the writer forgets no open order"
        symbol = symbol_of(entry.stream)
        if symbols and symbol not in symbols:
            continue
        market = exchange.markets[symbol]
        order = market.book.orders[order_id]
        cancel(exchange, market, order, CancelReason.REQUESTED, "", command.meta)


def continue_cancel_all(exchange: Exchange, command: ContinueCancelAll) -> None:
    """Cancel a slice of a cancel-all; its facts have the key of the first command."""
    wallet = exchange.wallet(command.account_id)
    accepted = wallet.cancel_all
    assert accepted is not None
    at, actor, command_id = command.meta.at, command.meta.actor, command.meta.command_id
    key, digest = accepted.meta.key, accepted.meta.digest
    meta = Meta(at, actor, command_id, command.meta.correlation, key, digest)
    for order_id in command.order_ids:
        entry = exchange.orders.of(command.account_id, order_id)
        # It may have ended since the writer chose the slice.
        if entry is not None and entry.status is OrderStatus.NEW:
            market = exchange.markets[symbol_of(entry.stream)]
            order = market.book.orders[order_id]
            cancel(exchange, market, order, CancelReason.REQUESTED, "", meta)
    if command.last:
        wallet.complete_cancel_all(meta=meta)


def roll_day(exchange: Exchange, command: RollDay) -> None:
    """Expire the session's day orders, then begin the next session, once."""
    market = exchange.market(command.symbol)
    if command.session_date <= market.session_date or market.roll is not None:
        return
    is_long = command.in_slices or len(market.book.orders) > SEEN_MAX
    orders = [] if is_long else list(market.day_orders())
    if is_long or len(orders) > ENDED_MAX:
        market.begin_roll(command.session_date, meta=command.meta)
        return
    for order in orders:
        facts = market.expire(order, meta=command.meta)
        apply_to_wallets(exchange, order.symbol, facts)
    market.roll_day(command.session_date, meta=command.meta)


def continue_day_roll(exchange: Exchange, command: ContinueDayRoll) -> None:
    """Expire a slice of a session's day orders; after the last, begin the next."""
    market = exchange.market(command.symbol)
    begun = market.roll
    assert begun is not None
    for order_id in command.order_ids:
        order = market.book.orders.get(order_id)
        # Its owner may have canceled it since the writer chose the slice.
        if order is not None:
            facts = market.expire(order, meta=command.meta)
            apply_to_wallets(exchange, order.symbol, facts)
    if command.last:
        market.roll_day(begun.session_date, meta=command.meta)


# --- what is left to do ---


def slices_of_cancel_all(exchange: Exchange, wallet: Wallet, now: Now) -> Slices:
    """Yield what is left of a cancel-all in progress."""
    accepted = wallet.cancel_all
    assert accepted is not None
    account_id = account_of(wallet.stream)
    streams = {market_stream(symbol) for symbol in accepted.symbols}

    def is_due(order_id: OrderId) -> bool:
        entry = exchange.orders.of(account_id, order_id)
        if entry is None or entry.status is not OrderStatus.NEW:
            return False
        return not streams or entry.stream in streams

    for order_ids, last in _cut(accepted.covered, is_due):
        if order_ids or last:
            meta = _next_meta(accepted.meta, wallet.version, now)
            yield ContinueCancelAll(meta, account_id, order_ids, last)
        else:
            yield None


def slices_of_day_roll(market: Market, now: Now) -> Slices:
    """Yield what is left of a day roll in progress: the market takes no new orders."""
    begun = market.roll
    assert begun is not None
    orders = market.book.orders

    def is_due(order_id: OrderId) -> bool:
        order = orders.get(order_id)
        return order is not None and order.time_in_force is DAY

    for order_ids, last in _cut(list(orders), is_due):
        if order_ids or last:
            meta = _next_meta(begun.meta, market.version, now)
            yield ContinueDayRoll(meta, market.book.symbol, order_ids, last)
        else:
            yield None


def _next_meta(first: Meta, version: int, now: Now) -> Meta:
    """Return the meta of the next slice; the version makes its id unique."""
    command_id = CommandId(derived_id(first.command_id, str(version)))
    return Meta(now(), first.actor, command_id, first.correlation_id)


def _cut(
    order_ids: Sequence[OrderId], is_due: Callable[[OrderId], bool]
) -> Iterator[tuple[tuple[OrderId, ...], bool]]:
    """Yield the orders that are due, in slices, each with whether it is the last.

    Whether an order is due is asked when its slice comes.
    """
    place, count, last = 0, len(order_ids), False
    while not last:
        due: list[OrderId] = []
        end = min(place + SEEN_MAX, count)
        while place < end and len(due) < ENDED_MAX:
            if is_due(order_ids[place]):
                due.append(order_ids[place])
            place += 1
        last = place == count
        yield tuple(due), last

"""The effects of market facts on wallets: settle trades, release holds and reserves.

Each fact names its orders and accounts, so one command may record facts of several
orders.
"""

from collections.abc import Callable, Sequence
from typing import Any

from commands.state.exchange import Exchange
from domain.events.event import Event
from domain.events.market import (
    MarketEvent,
    OrderCanceled,
    OrderExpired,
    TradeExecuted,
)
from domain.ids import Symbol
from domain.vocabulary import BUY, SELL


def apply_to_wallets(
    exchange: Exchange, symbol: Symbol, facts: Sequence[MarketEvent]
) -> None:
    """Apply a market's facts to the wallets of their accounts, in order."""
    for event in facts:
        effect = _EFFECTS.get(type(event))
        if effect is not None:
            effect(exchange, symbol, event)


def _settle(exchange: Exchange, symbol: Symbol, trade: TradeExecuted) -> None:
    exchange.wallets[trade.taker_account_id].settle(
        trade.taker_order_id,
        trade,
        symbol=symbol,
        side=trade.taker_side,
        fee=trade.taker_fee,
    )
    exchange.wallets[trade.maker_account_id].settle(
        trade.maker_order_id,
        trade,
        symbol=symbol,
        side=SELL if trade.taker_side is BUY else BUY,
        fee=trade.maker_fee,
    )
    if trade.maker_fee or trade.taker_fee:
        exchange.house(trade.meta).collect(trade, symbol)


def _release(
    exchange: Exchange, _: Symbol, event: OrderCanceled | OrderExpired
) -> None:
    exchange.wallets[event.account_id].release(event.order_id, meta=event.meta)


_EFFECTS: dict[type[Event], Callable[[Exchange, Symbol, Any], None]] = {
    TradeExecuted: _settle,
    OrderCanceled: _release,
    OrderExpired: _release,
}

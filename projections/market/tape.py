"""The newest trades of each instrument, in order."""

from typing import ClassVar

import msgspec

from domain.events.event import Timestamp
from domain.events.market import TradeExecuted
from domain.events.register import Fact
from domain.ids import LogPosition, Symbol, TradeId, symbol_of
from domain.money import Price, Quantity
from domain.vocabulary import Side
from projections.projection import Projection, on
from projections.readable import decoding
from projections.store import (
    AddEntries,
    Change,
    Entry,
    KeepHighest,
    ReadBetween,
    ReadResult,
    Request,
    View,
    encoded,
    in_pairs,
)

VIEW = View("tape")

#: Trades kept for each symbol. The log still has the older ones.
TRADES_KEPT = 10_000


class Trade(msgspec.Struct, array_like=True, gc=False):
    """One trade, without its parties."""

    trade_id: TradeId
    price: Price
    quantity: Quantity
    taker_side: Side
    at: Timestamp
    log_position: LogPosition


def trades_key(symbol: Symbol) -> str:
    """Return the name of a symbol's collection, scored by log position."""
    return "trades:" + symbol


class TapeProjection(Projection):
    """The fold of trades."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        super().__init__()
        self._new: dict[Symbol, list[Entry]] = {}

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._new = {}

    @on(TradeExecuted)
    def _traded(self, event: TradeExecuted, fact: Fact) -> None:
        trade = Trade(
            event.trade_id,
            event.price,
            event.quantity,
            event.taker_side,
            event.meta.at,
            fact.position,
        )
        trades = self._new.setdefault(symbol_of(fact.stream), [])
        trades.append((fact.position, encoded(trade)))

    def changes(self) -> list[Change]:
        changes: list[Change] = []
        for symbol, trades in self._new.items():
            key = trades_key(symbol)
            changes.append(AddEntries(key, trades[-TRADES_KEPT:]))
            changes.append(KeepHighest(key, TRADES_KEPT))
        self._new = {}
        return changes


def trades_request(
    symbol: Symbol,
    *,
    after: LogPosition | None = None,
    until: LogPosition | None = None,
    newest_first: bool = True,
    limit: int = 100,
) -> Request:
    """Return the read of trades between two exclusive log positions."""
    page = ReadBetween(
        trades_key(symbol),
        after=after,
        until=until,
        highest_first=newest_first,
        count=limit,
    )
    return Request(VIEW, [page])


def trades_of(result: ReadResult) -> list[Trade]:
    """Return the trades that were read."""
    (reply,) = result.replies
    decode = msgspec.json.Decoder(Trade).decode
    with decoding(VIEW, result):
        return [decode(member) for member, _ in in_pairs(reply)]

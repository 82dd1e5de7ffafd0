"""The shares of each account, their cost, and the profit from sales.

One row holds all positions of an account, because queries ask for them together. An
account trades few instruments, but many accounts trade one instrument.
"""

from typing import ClassVar

import msgspec

from domain.accounts.settlement import cash_moved
from domain.events.event import Event
from domain.events.register import Fact
from domain.events.wallet import (
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
)
from domain.ids import LOG_START, AccountId, LogPosition, Symbol, account_of
from domain.money import NO_MONEY, NO_SHARES, Money, Quantity
from domain.vocabulary import Side
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import ReadResult, ReadRows, Request, View

VIEW = View("positions")
ACCOUNTS = "accounts"


class Position(msgspec.Struct, array_like=True, gc=False):
    """One account's shares of one instrument, as of `log_position`.

    `cost_basis` is the cost of the current shares, fees included. `realized` is the
    profit or loss of all sales, net of fees. A position with quantity 0 stays, for
    `realized`.
    """

    symbol: Symbol
    quantity: Quantity = NO_SHARES
    reserved: Quantity = NO_SHARES
    cost_basis: Money = NO_MONEY
    realized: Money = NO_MONEY
    log_position: LogPosition = LOG_START

    @property
    def available(self) -> Quantity:
        """The shares that no open sell order reserves."""
        return self.quantity - self.reserved


class Holdings(msgspec.Struct, array_like=True, gc=False):
    """All positions of one account, oldest first."""

    positions: dict[Symbol, Position]


class PositionsProjection(Projection):
    """The fold of everything that moves or reserves shares."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._accounts = Rows(ACCOUNTS, Holdings)
        super().__init__(self._accounts)

    def _position(self, symbol: Symbol, fact: Fact) -> Position:
        account_id = account_of(fact.stream)
        holdings = self._accounts.get(account_id)
        if holdings is None:
            holdings = Holdings({})
        self._accounts.put(account_id, holdings)
        position = holdings.positions.get(symbol)
        if position is None:
            position = holdings.positions[symbol] = Position(symbol)
        position.log_position = fact.position
        return position

    @needs(SharesGranted, SharesReserved, SharesReleased, TradeSettled)
    def _touches(self, _event: Event, fact: Fact) -> None:
        self._accounts.want(account_of(fact.stream))

    @on(SharesGranted)
    def _granted(self, event: SharesGranted, fact: Fact) -> None:
        position = self._position(event.symbol, fact)
        position.quantity += event.quantity
        position.cost_basis += event.price * event.quantity

    @on(SharesReserved)
    def _reserved(self, event: SharesReserved, fact: Fact) -> None:
        self._position(event.symbol, fact).reserved += event.quantity

    @on(SharesReleased)
    def _released(self, event: SharesReleased, fact: Fact) -> None:
        self._position(event.symbol, fact).reserved -= event.quantity

    @on(TradeSettled)
    def _settled(self, event: TradeSettled, fact: Fact) -> None:
        position = self._position(event.symbol, fact)
        if event.side is Side.BUY:
            position.quantity += event.quantity
            position.cost_basis += event.cost
        else:
            position.quantity -= event.quantity
            position.reserved -= event.quantity
            position.cost_basis -= event.cost
            position.realized += cash_moved(event) - event.cost


def positions_request(account_id: AccountId) -> Request:
    """Return the request for one account, to combine with other requests."""
    return Request(VIEW, [ReadRows(ACCOUNTS, [account_id])])


def positions_of(answer: ReadResult) -> list[Position]:
    """Decode the answer to a `positions_request`: every position the account ever had,
    by symbol."""
    ((stored,),) = answer.replies
    if stored is None:
        return []
    with decoding(VIEW, answer):
        holdings = msgspec.json.decode(stored, type=Holdings)
    return sorted(holdings.positions.values(), key=lambda each: each.symbol)

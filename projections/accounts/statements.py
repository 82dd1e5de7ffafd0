"""The movements of cash and shares of each account, with the balance after each."""

from collections.abc import Collection
from enum import StrEnum
from typing import ClassVar

import msgspec

from domain.accounts.settlement import cash_moved
from domain.events.event import Event, Timestamp
from domain.events.register import Fact
from domain.events.wallet import (
    FeeCollected,
    FundsDeposited,
    SharesGranted,
    TradeSettled,
)
from domain.ids import (
    AccountId,
    CommandId,
    LogPosition,
    OrderId,
    Symbol,
    TradeId,
    UserId,
    account_of,
)
from domain.money import NO_MONEY, NO_SHARES, Money, Price, Quantity
from domain.vocabulary import Side
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import (
    AddEntries,
    Change,
    Entry,
    Home,
    ReadBetween,
    View,
    Views,
    encoded,
    in_pairs,
)

VIEW = View("statements", home=Home.HISTORY)
LEDGERS = "ledgers"
PAGE = 1_000
#: One query reads at most this many movements, whatever its filter leaves out.
EXAMINED_MAX = 5_000


class MovementType(StrEnum):
    """What caused a movement."""

    DEPOSIT = "deposit"
    SHARES_GRANTED = "shares_granted"
    BUY = "buy"
    SELL = "sell"
    FEE = "fee"


class Movement(msgspec.Struct, array_like=True, gc=False, kw_only=True):
    """One line of an account's statement.

    `amount` is the signed cash, including `fee`. `balance` is the ledger after the
    movement. `quantity` is the signed number of shares. `cause` is the command's id.
    """

    log_position: LogPosition
    at: Timestamp
    type: MovementType
    amount: Money
    balance: Money
    cause: CommandId
    actor: UserId
    fee: Money = NO_MONEY
    symbol: Symbol | None = None
    quantity: Quantity = NO_SHARES
    price: Price | None = None
    order_id: OrderId | None = None
    trade_id: TradeId | None = None
    reference: str | None = None


_decode = msgspec.json.Decoder(Movement).decode


class Movements(msgspec.Struct, frozen=True):
    """A part of a statement. `last` is where the next part begins, None at the end."""

    lines: list[Movement]
    last: LogPosition | None


class Ledger(msgspec.Struct, array_like=True, gc=False):
    """The balance before the next movement."""

    balance: Money = NO_MONEY


def account_key(account_id: AccountId) -> str:
    """Return the name of an account's collection, scored by log position."""
    return "account:" + account_id


class StatementsProjection(Projection):
    """The fold of everything that moves cash or shares."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._ledgers = Rows(LEDGERS, Ledger)
        super().__init__(self._ledgers)
        self._new: dict[AccountId, list[Entry]] = {}

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._new = {}

    def _moves(self, amount: Money, fact: Fact) -> Money:
        """Move the ledger and return the new balance."""
        account_id = account_of(fact.stream)
        ledger = self._ledgers.get(account_id) or Ledger()
        ledger.balance += amount
        self._ledgers.put(account_id, ledger)
        return ledger.balance

    def _add(self, movement: Movement, fact: Fact) -> None:
        movements = self._new.setdefault(account_of(fact.stream), [])
        movements.append((fact.position, encoded(movement)))

    @needs(FundsDeposited, SharesGranted, TradeSettled, FeeCollected)
    def _touches(self, _event: Event, fact: Fact) -> None:
        self._ledgers.want(account_of(fact.stream))

    @on(FundsDeposited)
    def _deposited(self, event: FundsDeposited, fact: Fact) -> None:
        self._add(
            Movement(
                log_position=fact.position,
                at=event.meta.at,
                type=MovementType.DEPOSIT,
                amount=event.amount,
                balance=self._moves(event.amount, fact),
                cause=event.meta.command_id,
                actor=event.meta.actor,
                reference=event.reference,
            ),
            fact,
        )

    @on(SharesGranted)
    def _granted(self, event: SharesGranted, fact: Fact) -> None:
        self._add(
            Movement(
                log_position=fact.position,
                at=event.meta.at,
                type=MovementType.SHARES_GRANTED,
                amount=NO_MONEY,
                balance=self._moves(NO_MONEY, fact),
                cause=event.meta.command_id,
                actor=event.meta.actor,
                symbol=event.symbol,
                quantity=event.quantity,
                price=event.price,
                reference=event.reference,
            ),
            fact,
        )

    @on(TradeSettled)
    def _settled(self, event: TradeSettled, fact: Fact) -> None:
        bought = event.side is Side.BUY
        amount = cash_moved(event)
        self._add(
            Movement(
                log_position=fact.position,
                at=event.meta.at,
                type=MovementType.BUY if bought else MovementType.SELL,
                amount=amount,
                balance=self._moves(amount, fact),
                cause=event.meta.command_id,
                actor=event.meta.actor,
                fee=event.fee,
                symbol=event.symbol,
                quantity=event.quantity if bought else -event.quantity,
                price=event.price,
                order_id=event.order_id,
                trade_id=event.trade_id,
            ),
            fact,
        )

    @on(FeeCollected)
    def _collected(self, event: FeeCollected, fact: Fact) -> None:
        self._add(
            Movement(
                log_position=fact.position,
                at=event.meta.at,
                type=MovementType.FEE,
                amount=event.amount,
                balance=self._moves(event.amount, fact),
                cause=event.meta.command_id,
                actor=event.meta.actor,
                symbol=event.symbol,
                trade_id=event.trade_id,
            ),
            fact,
        )

    def changes(self) -> list[Change]:
        changes = super().changes()
        for account_id, movements in self._new.items():
            changes.append(AddEntries(account_key(account_id), movements))
        self._new = {}
        return changes


async def movements(
    views: Views,
    account_id: AccountId,
    *,
    types: Collection[MovementType] = (),
    symbols: Collection[Symbol] = (),
    after: Timestamp | None = None,
    until: Timestamp | None = None,
    after_position: LogPosition | None = None,
    until_position: LogPosition | None = None,
    newest_first: bool = True,
    limit: int = 100,
) -> Movements:
    """Return an account's movements, filtered by type, instrument and time.

    An empty filter means all. Times and log positions are exclusive bounds. A query
    ends at `limit`, or after `EXAMINED_MAX` movements (rule VIEW-20). To go on, pass
    `last`: as `until_position` when newest first, otherwise as `after_position`.
    """
    lines: list[Movement] = []
    narrows = types or symbols or after is not None or until is not None
    size = PAGE if narrows else min(limit, PAGE)
    for _ in range(EXAMINED_MAX // PAGE):
        page = ReadBetween(
            account_key(account_id),
            after=after_position,
            until=until_position,
            highest_first=newest_first,
            count=size,
        )
        answer = await views.read(VIEW, [page])
        with decoding(VIEW, answer):
            read = [_decode(member) for member, _ in in_pairs(answer.replies[0])]
        for movement in read:
            if _is_within(movement, after, until) and (
                (not types or movement.type in types)
                and (not symbols or movement.symbol in symbols)
            ):
                lines.append(movement)
                if len(lines) == limit:
                    return Movements(lines, movement.log_position)
        if len(read) < size:
            return Movements(lines, None)
        if newest_first:
            until_position = read[-1].log_position
        else:
            after_position = read[-1].log_position
    return Movements(lines, until_position if newest_first else after_position)


def _is_within(
    movement: Movement, after: Timestamp | None, until: Timestamp | None
) -> bool:
    return (after is None or movement.at > after) and (
        until is None or movement.at < until
    )

"""Counts cash and shares from the facts alone.

It reads facts in the order of the log and knows nothing of wallets and books. Between a
trade and its settlement the legs are in flight; they count as well.
"""

from collections import Counter

from domain.events.market import TradeExecuted
from domain.events.register import Recorded
from domain.events.wallet import (
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
)
from domain.ids import HOUSE_ACCOUNT
from domain.vocabulary import Side

Owner = str


class Accounting:
    """Cash and shares of one instrument by account, and the legs in flight."""

    def __init__(self) -> None:
        self.cash: Counter[Owner] = Counter()
        self.shares: Counter[Owner] = Counter()
        self.held: Counter[Owner] = Counter()
        self.reserved: Counter[Owner] = Counter()
        self.cash_due: Counter[Owner] = Counter()
        self.shares_due: Counter[Owner] = Counter()
        self.cash_in = 0
        self.shares_in = 0

    def count(self, recorded: Recorded) -> None:
        """Count one fact, and prove that it neither loses nor creates anything."""
        owner = recorded.stream.partition("-")[2]
        match recorded.event:
            case FundsDeposited() as event:
                self.cash[owner] += event.amount
                self.cash_in += event.amount
            case SharesGranted() as event:
                self.shares[owner] += event.quantity
                self.shares_in += event.quantity
            case FundsHeld() as event:
                self.held[owner] += event.amount
            case FundsReleased() as event:
                self.held[owner] -= event.amount
            case SharesReserved() as event:
                self.reserved[owner] += event.quantity
            case SharesReleased() as event:
                self.reserved[owner] -= event.quantity
            case TradeExecuted() as event:
                self._executed(event)
            case TradeSettled() as event:
                self._settled(owner, event)
            case FeeCollected() as event:
                self._move_cash(owner, event.amount)
            case _:
                return
        self.prove()

    def _executed(self, event: TradeExecuted) -> None:
        value = event.price * event.quantity
        maker, taker = event.maker_account_id, event.taker_account_id
        buyer, seller = (
            (taker, maker) if event.taker_side is Side.BUY else (maker, taker)
        )
        self.cash_due[buyer] -= value
        self.cash_due[seller] += value
        self.cash_due[maker] -= event.maker_fee
        self.cash_due[taker] -= event.taker_fee
        self.cash_due[HOUSE_ACCOUNT] += event.maker_fee + event.taker_fee
        self.shares_due[buyer] += event.quantity
        self.shares_due[seller] -= event.quantity

    def _settled(self, owner: Owner, event: TradeSettled) -> None:
        value = event.price * event.quantity
        sign = 1 if event.side is Side.SELL else -1
        self._move_cash(owner, sign * value - event.fee)
        self.shares[owner] -= sign * event.quantity
        self.shares_due[owner] += sign * event.quantity
        self.held[owner] -= event.held
        if event.side is Side.SELL:
            self.reserved[owner] -= event.quantity

    def _move_cash(self, owner: Owner, amount: int) -> None:
        self.cash[owner] += amount
        self.cash_due[owner] -= amount

    def prove(self) -> None:
        """Assert that the totals equal what came in, and that nothing is negative."""
        assert self.cash.total() + self.cash_due.total() == self.cash_in
        assert self.shares.total() + self.shares_due.total() == self.shares_in
        for owner in self.cash.keys() | self.shares.keys():
            assert 0 <= self.held[owner] <= self.cash[owner], owner
            assert 0 <= self.reserved[owner] <= self.shares[owner], owner

    def prove_settled(self) -> None:
        """Assert that no leg is in flight, as at the end of a command."""
        assert not any(self.cash_due.values())
        assert not any(self.shares_due.values())

"""The audit's ledger: cash and shares of every account, computed from the facts.

This deliberately uses no domain code: an audit must prove the result in a second way.
At every log position, the wallets and the open legs of executed trades add up to
exactly what came in. After a command, no leg may be open.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from domain.accounts.settlement import cash_moved
from domain.events.event import Event
from domain.events.market import TradeExecuted
from domain.events.register import Fact
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
from domain.ids import NO_TRADE, HoldId, OrderId, Stream, Symbol, TradeId, symbol_of
from domain.money import NO_MONEY, NO_SHARES, Money, Quantity
from domain.vocabulary import HoldPurpose, Side
from infra.audit.accounts import (
    HOUSE_PART,
    AccountTotals,
    Hold,
    Holding,
    Leg,
    Reserve,
    legs_of,
)
from infra.audit.findings import Findings

_BUY = Side.BUY
_ORDER = HoldPurpose.ORDER


LegKey: TypeAlias = tuple[Symbol, TradeId, str]


class LedgerAudit:
    """Checks every movement of cash and shares."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.accounts: dict[Stream, AccountTotals] = {}
        self.holds: dict[HoldId, Hold] = {}
        self.reserves: dict[OrderId, Reserve] = {}
        self.trades = 0
        self.balances = 0
        self._legs: dict[LegKey, Leg] = {}
        self._trade_ids: dict[Symbol, TradeId] = {}
        # Cash that came in, cash in wallets, and cash due in open legs.
        self._cash_in = self._cash = self._cash_due = NO_MONEY
        self._cash_off = NO_MONEY
        self._shares_in: dict[Symbol, Quantity] = {}
        self._shares: dict[Symbol, Quantity] = {}
        self._shares_off: dict[Symbol, Quantity] = {}
        self.handlers: dict[type[Event], Callable[[Fact, Any], None]] = {
            FundsDeposited: self._deposited,
            SharesGranted: self._granted,
            FundsHeld: self._held,
            FundsReleased: self._released,
            SharesReserved: self._reserved,
            SharesReleased: self._shares_released,
            TradeExecuted: self._executed,
            TradeSettled: self._settled,
            FeeCollected: self._collected,
        }

    def end_command(self, fact: Fact) -> None:
        """Report every leg that is open after the last fact of a command."""
        if not self._legs:
            return
        for (symbol, trade_id, part), leg in self._legs.items():
            self._findings.note(
                "legs", fact, f"the {part} leg of trade {trade_id} in {symbol} is open"
            )
            self._cash_due -= leg.cash
            self._shares_moved(fact, symbol, due=-leg.shares, moved=NO_SHARES)
        self._legs.clear()
        self._check_cash(fact)

    def end(self, fact: Fact) -> None:
        """Report wallets and holds that do not add up at the end of the log."""
        cash = sum((each.ledger for each in self.accounts.values()), NO_MONEY)
        if cash != self._cash:
            self._findings.note("cash", fact, "the wallets do not add up")
        held: dict[Stream, Money] = {}
        for hold in self.holds.values():
            held[hold.wallet] = held.get(hold.wallet, NO_MONEY) + hold.amount
        for stream, account in self.accounts.items():
            if account.held != held.get(stream, NO_MONEY):
                self._findings.note("holds", fact, f"the holds of {stream} differ")

    def account(self, stream: Stream) -> AccountTotals:
        """Return the totals of a wallet, zero before its first fact."""
        account = self.accounts.get(stream)
        if account is None:
            account = self.accounts[stream] = AccountTotals()
        return account

    # --- deposits and grants ---

    def _deposited(self, fact: Fact, event: FundsDeposited) -> None:
        account = self.account(fact.stream)
        account.ledger += event.amount
        self._cash += event.amount
        self._cash_in += event.amount
        if event.amount <= 0:
            self._findings.note("cash", fact, f"a deposit of {event.amount}")
        self._check_cash(fact)

    def _granted(self, fact: Fact, event: SharesGranted) -> None:
        symbol, quantity = event.symbol, event.quantity
        holding = self.account(fact.stream).holding(symbol)
        holding.quantity += quantity
        holding.cost += event.price * quantity
        self._shares_in[symbol] = self._shares_in.get(symbol, NO_SHARES) + quantity
        if quantity <= 0:
            self._findings.note("shares", fact, f"a grant of {quantity} shares")
        self._shares_moved(fact, symbol, due=NO_SHARES, moved=quantity)

    # --- holds and reserves ---

    def _held(self, fact: Fact, event: FundsHeld) -> None:
        hold_id = event.hold_id
        if hold_id in self.holds or hold_id in self.reserves:
            self._findings.note("holds", fact, f"a second hold under {hold_id}")
        self.holds[hold_id] = Hold(fact.stream, event)
        account = self.account(fact.stream)
        account.held += event.amount
        self._check_account(fact, account)

    def order_hold(self, order_id: HoldId) -> Hold | None:
        """Return the hold that backs an order, not holds for other purposes."""
        hold = self.holds.get(order_id)
        return None if hold is None or hold.purpose is not _ORDER else hold

    def _released(self, fact: Fact, event: FundsReleased) -> None:
        hold = self.holds.pop(event.hold_id, None)
        if hold is None or hold.amount != event.amount or hold.wallet != fact.stream:
            self._findings.note("holds", fact, f"{event.amount} was not held")
        account = self.account(fact.stream)
        account.held -= event.amount
        self._check_account(fact, account)

    def _reserved(self, fact: Fact, event: SharesReserved) -> None:
        order_id = event.order_id
        if order_id in self.holds or order_id in self.reserves:
            self._findings.note("holds", fact, f"a second reserve for order {order_id}")
        self.reserves[order_id] = Reserve(fact.stream, event.symbol, event.quantity)
        holding = self.account(fact.stream).holding(event.symbol)
        holding.reserved += event.quantity
        self._check_holding(fact, holding)

    def _shares_released(self, fact: Fact, event: SharesReleased) -> None:
        reserve = self.reserves.pop(event.order_id, None)
        if (
            reserve is None
            or reserve.quantity != event.quantity
            or reserve.symbol != event.symbol
            or reserve.wallet != fact.stream
        ):
            self._findings.note("holds", fact, f"{event.quantity} were not reserved")
        holding = self.account(fact.stream).holding(event.symbol)
        holding.reserved -= event.quantity
        self._check_holding(fact, holding)

    # --- trades ---

    def _executed(self, fact: Fact, event: TradeExecuted) -> None:
        symbol, trade_id = symbol_of(fact.stream), event.trade_id
        if trade_id != self._trade_ids.get(symbol, NO_TRADE) + 1:
            self._findings.note("trades", fact, f"trade {trade_id} is out of turn")
        self._trade_ids[symbol] = trade_id
        self.trades += 1
        for part, leg in legs_of(event):
            self._legs[symbol, trade_id, part] = leg
            # The cash of all legs adds up to zero, unless a fee was invented.
            self._cash_due += leg.cash

    def _settled(self, fact: Fact, event: TradeSettled) -> None:
        symbol, side, quantity = event.symbol, event.side, event.quantity
        leg = self._legs.pop((symbol, event.trade_id, side), None)
        terms = fact.stream, event.order_id, event.price, quantity, event.fee
        cash = cash_moved(event)
        if leg is None or leg[:5] != terms:
            self._findings.note("legs", fact, f"no such trade {event.trade_id}")
        account = self.account(fact.stream)
        holding = account.holding(symbol)
        if side is _BUY:
            shares, cost = quantity, -cash
            holding.cost += event.cost
            self._use_hold(fact, account, event)
        else:
            shares, cost = -quantity, holding.part(quantity)
            holding.cost -= event.cost
            holding.reserved -= quantity
            self._use_reserve(fact, event)
        if event.cost != cost:
            self._findings.note("costs", fact, f"cost {event.cost}, not {cost}")
        account.ledger += cash
        holding.quantity += shares
        self._cash += cash
        self._cash_due -= leg.cash if leg is not None else NO_MONEY
        self._check_cash(fact)
        due = -leg.shares if leg is not None else NO_SHARES
        self._shares_moved(fact, symbol, due=due, moved=shares)
        self._check_account(fact, account)
        self._check_holding(fact, holding)

    def _use_hold(
        self, fact: Fact, account: AccountTotals, event: TradeSettled
    ) -> None:
        account.held -= event.held
        hold = self.order_hold(event.order_id)
        if hold is None or event.held != hold.per_share * event.quantity:
            self._findings.note("holds", fact, f"{event.held} was not held for it")
        if hold is not None:
            hold.amount -= event.held
            if not hold.amount:
                del self.holds[event.order_id]

    def _use_reserve(self, fact: Fact, event: TradeSettled) -> None:
        reserve = self.reserves.get(event.order_id)
        if reserve is None or reserve.symbol != event.symbol:
            self._findings.note("holds", fact, "no shares were reserved for it")
            return
        reserve.quantity -= event.quantity
        if not reserve.quantity:
            del self.reserves[event.order_id]

    def _collected(self, fact: Fact, event: FeeCollected) -> None:
        leg = self._legs.pop((event.symbol, event.trade_id, HOUSE_PART), None)
        if leg is None or (leg.wallet, leg.fee) != (fact.stream, event.amount):
            self._findings.note("legs", fact, f"no such fee of trade {event.trade_id}")
        self.account(fact.stream).ledger += event.amount
        self._cash += event.amount
        self._cash_due -= leg.cash if leg is not None else NO_MONEY
        self._check_cash(fact)

    # --- checks after each movement ---

    def _check_cash(self, fact: Fact) -> None:
        off = self._cash + self._cash_due - self._cash_in
        if off != self._cash_off:
            by = off - self._cash_off
            self._findings.note("cash", fact, f"there is {by} more than came in")
            self._cash_off = off

    def _shares_moved(
        self, fact: Fact, symbol: Symbol, *, due: Quantity, moved: Quantity
    ) -> None:
        # The shares due in the two legs of a new trade cancel out.
        total = self._shares[symbol] = self._shares.get(symbol, NO_SHARES) + due + moved
        off = total - self._shares_in.get(symbol, NO_SHARES)
        if off != self._shares_off.get(symbol, NO_SHARES):
            by = off - self._shares_off.get(symbol, NO_SHARES)
            self._findings.note("shares", fact, f"{by} more {symbol} than came in")
            self._shares_off[symbol] = off

    def _check_account(self, fact: Fact, account: AccountTotals) -> None:
        self.balances += 1
        if not 0 <= account.held <= account.ledger:
            self._findings.note(
                "balances", fact, f"ledger {account.ledger}, held {account.held}"
            )

    def _check_holding(self, fact: Fact, holding: Holding) -> None:
        self.balances += 1
        if not holding.sound():
            self._findings.note(
                "balances",
                fact,
                f"{holding.quantity} shares, {holding.reserved} reserved, "
                f"cost {holding.cost}",
            )

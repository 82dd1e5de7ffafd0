"""The audit's list of open orders, and the check that each is backed exactly.

The list comes from the markets' facts alone, the backing from the wallets' facts. The
two meet only here, after each command.
"""

from collections.abc import Callable
from typing import Any

from domain.events.event import Event
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Fact
from domain.events.wallet import FundsHeld, SharesReserved
from domain.ids import AccountId, OrderId, Stream, Symbol, symbol_of, wallet_stream
from domain.money import Quantity
from domain.vocabulary import HoldPurpose, Side
from infra.audit.findings import Findings
from infra.audit.ledger import LedgerAudit

_BUY = Side.BUY


class OpenOrder:
    """The open part of an order."""

    __slots__ = ("leaves", "side", "symbol", "wallet")

    def __init__(
        self, wallet: Stream, side: Side, symbol: Symbol, leaves: Quantity
    ) -> None:
        self.wallet = wallet
        self.side = side
        self.symbol = symbol
        self.leaves = leaves


class OrdersAudit:
    """Checks every order from its acceptance to its end."""

    def __init__(self, findings: Findings, ledger: LedgerAudit) -> None:
        self._findings = findings
        self._ledger = ledger
        self.open: dict[OrderId, OpenOrder] = {}
        self.orders = 0
        self.backed = 0
        self._touched: dict[OrderId, None] = {}
        self.handlers: dict[type[Event], Callable[[Fact, Any], None]] = {
            FundsHeld: self._held,
            SharesReserved: self._reserved,
            OrderAccepted: self._accepted,
            TradeExecuted: self._executed,
            OrderCanceled: self._ended,
            OrderExpired: self._ended,
            OrderReplaced: self._replaced,
        }

    # A hold or reserve must be checked even if its order never appears.

    def _held(self, _: Fact, event: FundsHeld) -> None:
        if event.purpose is HoldPurpose.ORDER:
            self._touched[OrderId(event.hold_id)] = None

    def _reserved(self, _: Fact, event: SharesReserved) -> None:
        self._touched[event.order_id] = None

    def _accepted(self, fact: Fact, event: OrderAccepted) -> None:
        self._enter(fact, event.order_id, event.account_id, event.side, event.quantity)

    def _enter(
        self,
        fact: Fact,
        order_id: OrderId,
        account_id: AccountId,
        side: Side,
        leaves: Quantity,
    ) -> None:
        self.orders += 1
        if order_id in self.open:
            self._findings.note("orders", fact, f"order {order_id} is open already")
        symbol = symbol_of(fact.stream)
        self.open[order_id] = OpenOrder(wallet_stream(account_id), side, symbol, leaves)
        self._touched[order_id] = None

    def _executed(self, fact: Fact, event: TradeExecuted) -> None:
        quantity = event.quantity
        maker_side = Side.SELL if event.taker_side is _BUY else _BUY
        maker, taker = event.maker_order_id, event.taker_order_id
        self._fill(fact, maker, maker_side, quantity, event.maker_leaves)
        self._fill(fact, taker, event.taker_side, quantity, event.taker_leaves)

    def _fill(
        self,
        fact: Fact,
        order_id: OrderId,
        side: Side,
        quantity: Quantity,
        leaves: Quantity,
    ) -> None:
        self._touched[order_id] = None
        order = self.open.get(order_id)
        if order is None or order.side is not side:
            self._findings.note("orders", fact, f"no open {side} order {order_id}")
            return
        order.leaves -= quantity
        if order.leaves != leaves or leaves < 0:
            self._findings.note(
                "orders", fact, f"{order.leaves} are left of {order_id}, not {leaves}"
            )
        if order.leaves <= 0:
            del self.open[order_id]

    def _ended(self, fact: Fact, event: OrderCanceled | OrderExpired) -> None:
        self._leave(fact, event.order_id, event.quantity)

    def _leave(self, fact: Fact, order_id: OrderId, leaves: Quantity) -> None:
        self._touched[order_id] = None
        order = self.open.pop(order_id, None)
        if order is None or order.leaves != leaves:
            left = 0 if order is None else order.leaves
            self._findings.note(
                "orders", fact, f"{left} were left of {order_id}, not {leaves}"
            )

    def _replaced(self, fact: Fact, event: OrderReplaced) -> None:
        self._leave(fact, event.order_id, event.removed)
        self._enter(
            fact,
            event.replaced_by,
            event.account_id,
            event.side,
            event.quantity - event.filled,
        )

    def end_command(self, fact: Fact) -> None:
        """Check the backing of every order that the command touched."""
        for order_id in self._touched:
            self._check_backing(fact, order_id)
        self._touched.clear()

    def end(self, fact: Fact) -> None:
        """Check that open orders are backed and that no other backing is left."""
        ledger = self._ledger
        held = {OrderId(each) for each in ledger.holds if ledger.order_hold(each)}
        backed = {*held, *ledger.reserves}
        for order_id in {*self.open, *backed}:
            self._check_backing(fact, order_id)

    def _check_backing(self, fact: Fact, order_id: OrderId) -> None:
        self.backed += 1
        order = self.open.get(order_id)
        hold = self._ledger.order_hold(order_id)
        reserve = self._ledger.reserves.get(order_id)
        if order is None:
            right = hold is None and reserve is None
        elif order.side is _BUY:
            right = (
                reserve is None
                and hold is not None
                and hold.amount == hold.per_share * order.leaves
                and hold.wallet == order.wallet
            )
        else:
            right = (
                hold is None
                and reserve is not None
                and reserve.quantity == order.leaves
                and reserve.symbol == order.symbol
                and reserve.wallet == order.wallet
            )
        if not right:
            leaves = 0 if order is None else order.leaves
            held = 0 if hold is None else hold.amount
            reserved = 0 if reserve is None else reserve.quantity
            self._findings.note(
                "holds",
                fact,
                f"order {order_id}: {leaves} open, {held} held, {reserved} reserved",
            )

"""Which orders an account has ever sent, where the log tells of them, and how they
ended.

Folded from the facts of the markets. It is what makes a client order id once, and what
tells an order that is done from one that never was.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from domain.events.event import Event
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import AccountId, ClientOrderId, LogPosition, OrderId, Symbol
from domain.vocabulary import OrderStatus


class OrderEntry(msgspec.Struct, gc=False, array_like=True):
    """One order. `position` is where the log tells that it came in, 0 until committed.

    `status` is NEW for as long as the order is open, filled in part or not. `named`
    says that its owner gave it a client order id, which is not its order id.
    """

    symbol: Symbol
    position: LogPosition = 0
    status: OrderStatus = OrderStatus.NEW
    named: bool = False


class AccountOrders:
    """The orders of one account. `ids` holds only client ids that are not order ids."""

    __slots__ = ("ids", "orders")

    def __init__(self) -> None:
        self.orders: dict[OrderId, OrderEntry] = {}
        self.ids: dict[ClientOrderId, OrderId] = {}

    def by_client_id(self, client_order_id: ClientOrderId) -> OrderEntry | None:
        order_id = self.ids.get(client_order_id)
        if order_id is not None:
            return self.orders.get(order_id)
        entry = self.orders.get(client_order_id)
        return None if entry is None or entry.named else entry

    def add(
        self, order_id: OrderId, client_order_id: ClientOrderId, entry: OrderEntry
    ) -> None:
        self.orders[order_id] = entry
        if client_order_id != order_id:
            entry.named = True
            self.ids[client_order_id] = order_id


_NO_ORDERS = AccountOrders()


class OrderIndex:
    """All accounts' orders."""

    __slots__ = ("accounts",)

    def __init__(self) -> None:
        self.accounts: dict[AccountId, AccountOrders] = {}

    def account(self, account_id: AccountId) -> AccountOrders:
        """The orders of an account, to read: asking leaves no trace."""
        return self.accounts.get(account_id, _NO_ORDERS)

    def _begun(self, account_id: AccountId) -> AccountOrders:
        """The orders of an account that begins one."""
        orders = self.accounts.get(account_id)
        if orders is None:
            orders = self.accounts[account_id] = AccountOrders()
        return orders

    def find(self, order_id: OrderId) -> tuple[AccountId, OrderEntry] | None:
        """An order of any account; looks through all accounts, so not on a hot path."""
        for account_id, orders in self.accounts.items():
            entry = orders.orders.get(order_id)
            if entry is not None:
                return account_id, entry
        return None

    def accepted(self, symbol: Symbol, event: OrderAccepted) -> OrderEntry:
        entry = OrderEntry(symbol)
        self._begun(event.account_id).add(event.order_id, event.client_order_id, entry)
        return entry

    def rejected(self, symbol: Symbol, event: OrderRejected) -> OrderEntry:
        entry = OrderEntry(symbol, status=OrderStatus.REJECTED)
        self._begun(event.account_id).add(event.order_id, event.client_order_id, entry)
        return entry

    def replaced(self, symbol: Symbol, event: OrderReplaced) -> OrderEntry:
        self._end(event.account_id, event.order_id, OrderStatus.REPLACED)
        entry = OrderEntry(symbol)
        self._begun(event.account_id).add(
            event.replaced_by, event.client_order_id, entry
        )
        return entry

    def traded(self, _: Symbol, event: TradeExecuted) -> None:
        if not event.maker_leaves:
            self._end(event.maker_account_id, event.maker_order_id, OrderStatus.FILLED)
        if not event.taker_leaves:
            self._end(event.taker_account_id, event.taker_order_id, OrderStatus.FILLED)

    def canceled(self, _: Symbol, event: OrderCanceled) -> None:
        self._end(event.account_id, event.order_id, OrderStatus.CANCELED)

    def expired(self, _: Symbol, event: OrderExpired) -> None:
        self._end(event.account_id, event.order_id, OrderStatus.EXPIRED)

    def _end(
        self, account_id: AccountId, order_id: OrderId, status: OrderStatus
    ) -> None:
        self.accounts[account_id].orders[order_id].status = status

    #: Which method folds which fact; those that begin an order answer its entry.
    folds: ClassVar[
        dict[type[Event], Callable[["OrderIndex", Symbol, Any], OrderEntry | None]]
    ] = {
        OrderAccepted: accepted,
        OrderRejected: rejected,
        OrderReplaced: replaced,
        TradeExecuted: traded,
        OrderCanceled: canceled,
        OrderExpired: expired,
    }

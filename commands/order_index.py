"""Which orders an account has ever sent, where the log tells of them, and how they
ended.

Folded from the facts of the markets. It is what makes a client order id once, and what
tells an order that is done from one that never was.
"""

import msgspec

from domain.events import (
    AnyEvent,
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

    `status` is NEW for as long as the order is open, filled in part or not.
    """

    symbol: Symbol
    position: LogPosition = 0
    status: OrderStatus = OrderStatus.NEW


class AccountOrders:
    """The orders of one account. `ids` holds only client ids that are not order ids."""

    __slots__ = ("ids", "orders")

    def __init__(self) -> None:
        self.orders: dict[OrderId, OrderEntry] = {}
        self.ids: dict[ClientOrderId, OrderId] = {}

    def by_client_id(self, client_order_id: ClientOrderId) -> OrderEntry | None:
        order_id = self.ids.get(client_order_id, client_order_id)
        return self.orders.get(order_id)

    def add(
        self, order_id: OrderId, client_order_id: ClientOrderId, entry: OrderEntry
    ) -> None:
        self.orders[order_id] = entry
        if client_order_id != order_id:
            self.ids[client_order_id] = order_id


class OrderIndex:
    """All accounts' orders."""

    __slots__ = ("accounts",)

    def __init__(self) -> None:
        self.accounts: dict[AccountId, AccountOrders] = {}

    def account(self, account_id: AccountId) -> AccountOrders:
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

    def apply(self, symbol: Symbol, event: AnyEvent) -> None:
        """Fold a market's fact. The types are asked in the order of their frequency."""
        if isinstance(event, OrderAccepted):
            entry = OrderEntry(symbol)
            self.account(event.account_id).add(
                event.order_id, event.client_order_id, entry
            )
        elif isinstance(event, TradeExecuted):
            if not event.maker_leaves:
                self._end(
                    event.maker_account_id, event.maker_order_id, OrderStatus.FILLED
                )
            if not event.taker_leaves:
                self._end(
                    event.taker_account_id, event.taker_order_id, OrderStatus.FILLED
                )
        elif isinstance(event, OrderCanceled):
            self._end(event.account_id, event.order_id, OrderStatus.CANCELED)
        elif isinstance(event, OrderReplaced):
            self._end(event.account_id, event.order_id, OrderStatus.REPLACED)
            self.account(event.account_id).add(
                event.replaced_by, event.client_order_id, OrderEntry(symbol)
            )
        elif isinstance(event, OrderExpired):
            self._end(event.account_id, event.order_id, OrderStatus.EXPIRED)
        elif isinstance(event, OrderRejected):
            entry = OrderEntry(symbol, status=OrderStatus.REJECTED)
            self.account(event.account_id).add(
                event.order_id, event.client_order_id, entry
            )

    def _end(
        self, account_id: AccountId, order_id: OrderId, status: OrderStatus
    ) -> None:
        self.accounts[account_id].orders[order_id].status = status

    def locate(self, event: AnyEvent, position: LogPosition) -> None:
        """Remember where the log tells of a new order, once it is committed."""
        if isinstance(event, OrderAccepted):
            order_id = event.order_id
        elif isinstance(event, OrderReplaced):
            order_id = event.replaced_by
        elif isinstance(event, OrderRejected):
            order_id = event.order_id
        else:
            return
        self.accounts[event.account_id].orders[order_id].position = position

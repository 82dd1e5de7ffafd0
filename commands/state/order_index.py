"""The index of each account's orders, with their market and final status.

The index is folded from market facts. It distinguishes an order that ended from an
order that never existed.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from commands.state.register import Register
from domain.events.event import Event
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import AccountId, ClientOrderId, OrderId, Stream
from domain.vocabulary import OrderStatus


class OrderEntry(msgspec.Struct, gc=False, array_like=True):
    """One order, in the market of `stream`.

    `status` is NEW while the order is open, also after a partial fill. `named` says
    that its client order id differs from its order id.
    """

    stream: Stream
    status: OrderStatus = OrderStatus.NEW
    named: bool = False


class OrderIndex:
    """All orders by account. The register holds the client order ids."""

    __slots__ = ("_register", "accounts")

    def __init__(self, register: Register) -> None:
        self.accounts: dict[AccountId, dict[OrderId, OrderEntry]] = {}
        self._register = register

    def of(self, account_id: AccountId, order_id: OrderId) -> OrderEntry | None:
        """Return an order of an account, or None."""
        orders = self.accounts.get(account_id)
        return None if orders is None else orders.get(order_id)

    def find(self, order_id: OrderId) -> tuple[AccountId, OrderEntry] | None:
        """Return an order and its account; walk all accounts, so avoid hot paths."""
        for account_id, orders in self.accounts.items():
            entry = orders.get(order_id)
            if entry is not None:
                return account_id, entry
        return None

    def by_client_id(
        self, account_id: AccountId, client_order_id: ClientOrderId
    ) -> OrderId | None:
        """Return the order that a client order id names, or None."""
        ids = self._register.client_ids.get(account_id)
        if ids is not None and client_order_id in ids:
            return ids[client_order_id]
        orders = self.accounts.get(account_id)
        if orders is None:
            return None
        # Without a client order id, the order id is also the client order id.
        order_id: OrderId = client_order_id  # pyright: ignore[reportAssignmentType] # see above
        entry = orders.get(order_id)
        return None if entry is None or entry.named else order_id

    def _begin(
        self,
        account_id: AccountId,
        order_id: OrderId,
        client_order_id: ClientOrderId,
        entry: OrderEntry,
    ) -> None:
        orders = self.accounts.get(account_id)
        if orders is None:
            orders = self.accounts[account_id] = {}
        orders[order_id] = entry
        if client_order_id != order_id:
            entry.named = True
            self._register.ordered(account_id, client_order_id, order_id)

    def accepted(self, stream: Stream, event: OrderAccepted) -> None:
        """Add an open order."""
        entry = OrderEntry(stream)
        self._begin(event.account_id, event.order_id, event.client_order_id, entry)

    def rejected(self, stream: Stream, event: OrderRejected) -> None:
        """Add an order that the market rejected."""
        entry = OrderEntry(stream, OrderStatus.REJECTED)
        self._begin(event.account_id, event.order_id, event.client_order_id, entry)

    def replaced(self, stream: Stream, event: OrderReplaced) -> None:
        """End an order and add its replacement."""
        self._end(event.account_id, event.order_id, OrderStatus.REPLACED)
        entry = OrderEntry(stream)
        self._begin(event.account_id, event.replaced_by, event.client_order_id, entry)

    def traded(self, _: Stream, event: TradeExecuted) -> None:
        """End the orders that a trade filled."""
        if not event.maker_leaves:
            self._end(event.maker_account_id, event.maker_order_id, OrderStatus.FILLED)
        if not event.taker_leaves:
            self._end(event.taker_account_id, event.taker_order_id, OrderStatus.FILLED)

    def canceled(self, _: Stream, event: OrderCanceled) -> None:
        """End an order that was canceled."""
        self._end(event.account_id, event.order_id, OrderStatus.CANCELED)

    def expired(self, _: Stream, event: OrderExpired) -> None:
        """End an order that expired."""
        self._end(event.account_id, event.order_id, OrderStatus.EXPIRED)

    def _end(
        self, account_id: AccountId, order_id: OrderId, status: OrderStatus
    ) -> None:
        self.accounts[account_id][order_id].status = status

    #: The method that folds each type of fact.
    folds: ClassVar[dict[type[Event], Callable[["OrderIndex", Stream, Any], None]]] = {
        OrderAccepted: accepted,
        OrderRejected: rejected,
        OrderReplaced: replaced,
        TradeExecuted: traded,
        OrderCanceled: canceled,
        OrderExpired: expired,
    }

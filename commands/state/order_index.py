"""The index of each account's orders, with their market and final status.

The index is folded from market facts. It distinguishes an order that ended from an
order that never existed, or that the writer forgot: it remembers open orders always and
finished ones, with their client order ids, for a window (rule MEMORY-02).
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec

from commands.state.window import Window
from domain.events.event import Event, Timestamp
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import AccountId, ClientOrderId, OrderId, Stream
from domain.key_log import KeyLog
from domain.market.order import Order
from domain.vocabulary import OrderStatus

#: The client order id of an entry whose client order id equals its order id.
SAME = ClientOrderId("")


class OrderEntry(msgspec.Struct, gc=False, array_like=True):
    """One order, in the market of `stream`.

    `status` is NEW while the order is open, also after a partial fill; `at` is the time
    of its end, 0 before that. `client_order_id` is `SAME` if it equals the order id.
    """

    account_id: AccountId
    stream: Stream
    order_id: OrderId
    client_order_id: ClientOrderId = SAME
    status: OrderStatus = OrderStatus.NEW
    at: Timestamp = 0

    @property
    def owner(self) -> AccountId:
        """Return the account, to which the window counts the order."""
        return self.account_id


class AccountOrders:
    """The remembered orders of one account, by order id and by client order id."""

    __slots__ = ("account_id", "client_ids", "entries")

    def __init__(self, account_id: AccountId) -> None:
        #: The one text that all entries of the account share.
        self.account_id = account_id
        self.entries: dict[OrderId, OrderEntry] = {}
        self.client_ids: dict[ClientOrderId, OrderEntry] = {}


class OrderIndex:
    """The remembered orders by account. `window` holds the finished ones in order."""

    __slots__ = ("accounts", "window")

    def __init__(self, keys: KeyLog) -> None:
        self.accounts: dict[AccountId, AccountOrders] = {}
        self.window: Window[OrderEntry] = Window(keys)

    def of(self, account_id: AccountId, order_id: OrderId) -> OrderEntry | None:
        """Return an order of an account, or None."""
        orders = self.accounts.get(account_id)
        return None if orders is None else orders.entries.get(order_id)

    def find(self, order_id: OrderId) -> tuple[AccountId, OrderEntry] | None:
        """Return an order and its account; walk all accounts, so avoid hot paths."""
        for account_id, orders in self.accounts.items():
            entry = orders.entries.get(order_id)
            if entry is not None:
                return account_id, entry
        return None

    def by_client_id(
        self, account_id: AccountId, client_order_id: ClientOrderId
    ) -> OrderId | None:
        """Return the order that a client order id names, or None."""
        orders = self.accounts.get(account_id)
        if orders is None:
            return None
        if client_order_id in orders.client_ids:
            return orders.client_ids[client_order_id].order_id
        # Without a client order id, the order id is also the client order id.
        order_id: OrderId = client_order_id  # pyright: ignore[reportAssignmentType] # see above
        entry = orders.entries.get(order_id)
        return None if entry is None or entry.client_order_id else order_id

    def _begin(
        self,
        account_id: AccountId,
        stream: Stream,
        order_id: OrderId,
        client_order_id: ClientOrderId,
    ) -> OrderEntry:
        orders = self.accounts.get(account_id)
        if orders is None:
            orders = self.accounts[account_id] = AccountOrders(account_id)
        entry = OrderEntry(orders.account_id, stream, order_id)
        orders.entries[order_id] = entry
        if client_order_id != order_id:
            entry.client_order_id = client_order_id
            orders.client_ids[client_order_id] = entry
        return entry

    def _end(
        self,
        account_id: AccountId,
        order_id: OrderId,
        status: OrderStatus,
        at: Timestamp,
    ) -> None:
        entry = self.accounts[account_id].entries[order_id]
        entry.status = status
        entry.at = at
        forgotten = self.window.add(entry, account_id)
        if forgotten is not None:
            self._forget(forgotten)

    def _forget(self, entries: Iterable[OrderEntry]) -> None:
        for entry in entries:
            orders = self.accounts[entry.account_id]
            del orders.entries[entry.order_id]
            if entry.client_order_id:
                del orders.client_ids[entry.client_order_id]
            if not orders.entries:
                del self.accounts[entry.account_id]

    def restore_open(self, order: Order, stream: Stream) -> None:
        """Add an order of a book that came from a snapshot."""
        self._begin(order.account_id, stream, order.order_id, order.client_order_id)

    def restore_finished(self, entry: OrderEntry, *, spared: bool) -> None:
        """Add a finished order of a snapshot, in the order of the window."""
        client_order_id = entry.client_order_id or ClientOrderId(entry.order_id)
        restored = self._begin(
            entry.account_id, entry.stream, entry.order_id, client_order_id
        )
        restored.status, restored.at = entry.status, entry.at
        self.window.restore(restored, spared=spared)

    # --- facts take effect ---

    def accepted(self, stream: Stream, event: OrderAccepted) -> None:
        """Add an open order."""
        self._begin(event.account_id, stream, event.order_id, event.client_order_id)

    def rejected(self, stream: Stream, event: OrderRejected) -> None:
        """Add an order that the market rejected."""
        account_id, order_id = event.account_id, event.order_id
        self._begin(account_id, stream, order_id, event.client_order_id)
        self._end(account_id, order_id, OrderStatus.REJECTED, event.meta.at)

    def replaced(self, stream: Stream, event: OrderReplaced) -> None:
        """End an order and add its replacement."""
        account_id = event.account_id
        self._end(account_id, event.order_id, OrderStatus.REPLACED, event.meta.at)
        self._begin(account_id, stream, event.replaced_by, event.client_order_id)

    def traded(self, _: Stream, event: TradeExecuted) -> None:
        """End the orders that a trade filled."""
        filled, at = OrderStatus.FILLED, event.meta.at
        if not event.maker_leaves:
            self._end(event.maker_account_id, event.maker_order_id, filled, at)
        if not event.taker_leaves:
            self._end(event.taker_account_id, event.taker_order_id, filled, at)

    def canceled(self, _: Stream, event: OrderCanceled) -> None:
        """End an order that was canceled."""
        canceled = OrderStatus.CANCELED
        self._end(event.account_id, event.order_id, canceled, event.meta.at)

    def expired(self, _: Stream, event: OrderExpired) -> None:
        """End an order that expired."""
        expired = OrderStatus.EXPIRED
        self._end(event.account_id, event.order_id, expired, event.meta.at)

    #: The method that folds each type of fact.
    folds: ClassVar[dict[type[Event], Callable[["OrderIndex", Stream, Any], None]]] = {
        OrderAccepted: accepted,
        OrderRejected: rejected,
        OrderReplaced: replaced,
        TradeExecuted: traded,
        OrderCanceled: canceled,
        OrderExpired: expired,
    }

"""The read port of the write door: orders of any account, as they are now."""

from typing import Protocol

import msgspec

from api.wire.order import Order
from domain.ids import AccountId, LogPosition, OrderId


class StoredOrder(msgspec.Struct, frozen=True):
    """An order and its owner's account."""

    account_id: AccountId
    order: Order


class OrderReader(Protocol):
    """Reads orders for answers that the writer cannot make from facts."""

    async def order(self, order_id: OrderId, *, at: LogPosition) -> StoredOrder | None:
        """Return an order of any account as of `at` or later.

        Raises:
            Unavailable: the view is being filled, or does not reach `at` in time.
        """
        ...

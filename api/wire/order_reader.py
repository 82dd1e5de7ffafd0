"""The read port of the write door: orders as they stand, of any account."""

from typing import Protocol

import msgspec

from api.wire.order import Order
from domain.ids import AccountId, LogPosition, OrderId


class StoredOrder(msgspec.Struct, frozen=True):
    """An order as it stands, and its owner."""

    account_id: AccountId
    order: Order


class OrderReader(Protocol):
    """Reads orders that the writer does not answer for itself."""

    async def order(self, order_id: OrderId, *, at: LogPosition) -> StoredOrder | None:
        """Return any account's order as of `at` or later.

        Raises:
            Unavailable: the view is being filled, or does not reach `at` in time.
        """
        ...

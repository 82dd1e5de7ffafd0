"""The read port of the write door: orders of any account, as they are now."""

from collections.abc import Sequence
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

    async def orders(
        self, order_ids: Sequence[OrderId], *, at: LogPosition
    ) -> dict[OrderId, StoredOrder]:
        """Return the orders that exist, of any account, as of one log position.

        It is `at` or later.

        Raises:
            Unavailable: the view is being filled, or does not reach `at` in time.
        """
        ...

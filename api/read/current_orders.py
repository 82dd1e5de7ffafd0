"""Orders as they are now, for answers that the writer cannot make from facts."""

from collections.abc import Sequence

from api.read.door import ReadDoor, Reading, ViewDamaged
from api.read.orders import order_of
from api.wire.order_reader import StoredOrder
from domain.ids import LogPosition, OrderId
from projections.orders import order_queries
from projections.readable import Unreadable


class CurrentOrders:
    """An `OrderReader` on the read models."""

    def __init__(self, door: ReadDoor) -> None:
        self._door = door

    async def orders(
        self, order_ids: Sequence[OrderId], *, at: LogPosition
    ) -> dict[OrderId, StoredOrder]:
        """Return the orders that exist, of any account, as of `at` or later.

        Raises:
            Unavailable: the view is being filled, is damaged, or does not reach `at` in
                time.
        """
        reading = Reading(self._door, after=at)
        try:
            records = await order_queries.by_ids(reading, order_ids)
            shown = [
                order_of(each, await reading.asset_id(each.symbol)) for each in records
            ]
        except Unreadable as damage:
            await self._door.retire(damage)
            raise ViewDamaged(damage.view.name) from None
        return {
            order.id: StoredOrder(record.account_id, order)
            for record, order in zip(records, shown, strict=True)
        }

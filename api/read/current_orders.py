"""Orders as they are now, for answers that the writer cannot make from facts."""

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

    async def order(self, order_id: OrderId, *, at: LogPosition) -> StoredOrder | None:
        """Return an order of any account as of `at` or later.

        Raises:
            Unavailable: the view is being filled, is damaged, or does not reach `at` in
                time.
        """
        reading = Reading(self._door, after=at)
        try:
            record = await order_queries.order(reading, order_id)
            if record is None:
                return None
            asset_id = await reading.asset_id(record.symbol)
        except Unreadable as damage:
            await self._door.retire(damage)
            raise ViewDamaged(damage.view.name) from None
        return StoredOrder(record.account_id, order_of(record, asset_id))

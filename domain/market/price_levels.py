"""One side of an order book: the best price, and a first-in-first-out queue per price.

A sorted list holds the keys of the levels, best last; a dictionary holds the levels. A
bid's key is its price, an ask's the negative price, so both sides share the code.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

from domain.market.order import Order
from domain.money import NO_SHARES, Price, Quantity
from domain.vocabulary import Side


class PriceLevel:
    """All resting orders of one price, oldest first.

    An order that leaves from the middle stays in the queue with no leaves, and matching
    skips it. The level rebuilds the queue once such orders are the majority. Removal
    thus costs the same at any place in the queue.
    """

    __slots__ = ("count", "orders", "price", "quantity")

    def __init__(self, price: Price) -> None:
        self.price = price
        self.quantity = NO_SHARES
        self.count = 0
        self.orders: deque[Order] = deque()

    def __iter__(self) -> Iterator[Order]:
        return (order for order in self.orders if order.leaves)

    def drop_done(self) -> None:
        """Drop orders without leaves, at the front or once they are too many."""
        orders = self.orders
        while orders and not orders[0].leaves:
            orders.popleft()
        if len(orders) > 2 * self.count + 32:
            self.orders = deque(order for order in orders if order.leaves)


class BookSide:
    """The bids or the asks of one book. `sign` converts between price and key."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = 1 if side is Side.BUY else -1
        self.keys: list[Price] = []
        self.levels: dict[Price, PriceLevel] = {}

    def __iter__(self) -> Iterator[PriceLevel]:
        """Iterate over the levels from the best price outward."""
        return (self.levels[key] for key in reversed(self.keys))

    @property
    def best(self) -> Price | None:
        """Return the best price, or None if the side is empty."""
        return self.sign * self.keys[-1] if self.keys else None

    def add(self, order: Order, price: Price, quantity: Quantity) -> None:
        """Queue an order at its price and add `quantity` to the level."""
        key = self.sign * price
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = PriceLevel(price)
            keys = self.keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                insort(keys, key)
        level.orders.append(order)
        level.count += 1
        level.quantity += quantity

    def reduce(self, price: Price, quantity: Quantity, *, done: bool) -> None:
        """Subtract `quantity` from a level; `done` says that its order leaves too."""
        key = self.sign * price
        level = self.levels[key]
        level.quantity -= quantity
        if not done:
            assert level.quantity >= level.count
            return
        level.count -= 1
        if level.count:
            # Every order in the queue has a share at least.
            assert level.quantity >= level.count
            level.drop_done()
            return
        assert not level.quantity
        del self.levels[key]
        keys = self.keys
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

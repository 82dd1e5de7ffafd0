"""One side of an order book: the best price, and a first-in-first-out queue per price.

Levels are kept by a sorted list of keys, best last, and a dictionary. The key of a bid
is its price, of an ask its negative, so that both sides are the same code.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

from domain.market.order import Order
from domain.money import Price, Quantity
from domain.vocabulary import Side


class PriceLevel:
    """All resting orders of one price, oldest first.

    An order that leaves from the middle stays in the queue with nothing left, and is
    passed over; once such orders are the majority the queue is written anew. Leaving
    then costs the same wherever the order stands.
    """

    __slots__ = ("count", "orders", "price", "quantity")

    def __init__(self, price: Price) -> None:
        self.price = price
        self.quantity: Quantity = 0
        self.count = 0
        self.orders: deque[Order] = deque()

    def __iter__(self) -> Iterator[Order]:
        return (order for order in self.orders if order.leaves)

    def drop_done(self) -> None:
        """Forget orders with nothing left, at the front or once they are too many."""
        orders = self.orders
        while orders and not orders[0].leaves:
            orders.popleft()
        if len(orders) > 2 * self.count + 32:
            self.orders = deque(order for order in orders if order.leaves)


class BookSide:
    """The bids or the asks of one book."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = 1 if side is Side.BUY else -1
        self.keys: list[int] = []
        self.levels: dict[int, PriceLevel] = {}

    def __iter__(self) -> Iterator[PriceLevel]:
        """The levels from the best price outward."""
        return (self.levels[key] for key in reversed(self.keys))

    @property
    def best(self) -> Price | None:
        return self.sign * self.keys[-1] if self.keys else None

    def add(self, order: Order, price: Price, quantity: Quantity) -> None:
        """Queue an order at its price; `quantity` of it will rest there."""
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
        """Take `quantity` off a level; `done` says that its order leaves with it."""
        key = self.sign * price
        level = self.levels[key]
        level.quantity -= quantity
        if not done:
            return
        level.count -= 1
        if level.count:
            level.drop_done()
            return
        del self.levels[key]
        keys = self.keys
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

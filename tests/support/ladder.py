"""A book drawn as a ladder: bid, price, ask; and read back from the drawing.

    bid   price   ask
          10.02   300
          10.01   100+50
    200    9.99

Each number is one resting order; orders queue at a price from left to right.
"""

from typing import NamedTuple

from domain.money import dollars, text
from domain.order_book import OrderBook
from domain.price_levels import BookSide

Queue = tuple[int, ...]


class Level(NamedTuple):
    """A price and the quantities that rest there, oldest first."""

    price: int
    queue: Queue


class Ladder(NamedTuple):
    """Both sides of a book, the best price first."""

    bids: list[Level]
    asks: list[Level]


def read(drawing: str) -> Ladder:
    """The book that a drawing shows; what has a point in it is a price."""
    bids: list[Level] = []
    asks: list[Level] = []
    for line in drawing.split("\n"):
        words = line.split()
        if not words or words == ["bid", "price", "ask"]:
            continue
        first, second = words
        if "." in first:
            asks.append(Level(dollars(first), _queue(second)))
        else:
            bids.append(Level(dollars(second), _queue(first)))
    return Ladder(sorted(bids, reverse=True), sorted(asks))


def _queue(word: str) -> Queue:
    return tuple(int(each) for each in word.split("+"))


def draw(ladder: Ladder) -> str:
    """The same drawing for the same book, whoever indented it and how."""
    rows = [("", _price(each.price), _word(each)) for each in reversed(ladder.asks)]
    rows += [(_word(each), _price(each.price), "") for each in ladder.bids]
    lines = [
        f"{bid:>12} {price:>9}   {ask}"
        for bid, price, ask in [("bid", "price", "ask"), *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def _price(price: int) -> str:
    whole, _, decimals = text(price).partition(".")
    return f"{whole}.{decimals:0<2}"


def _word(level: Level) -> str:
    return "+".join(str(quantity) for quantity in level.queue)


def redrawn(drawing: str) -> str:
    """A drawing as `draw` would have made it."""
    return draw(read(drawing))


def of_book(book: OrderBook) -> Ladder:
    return Ladder(_levels(book.bids), _levels(book.asks))


def _levels(side: BookSide) -> list[Level]:
    levels: list[Level] = []
    for level in side:
        queue = tuple(order.leaves for order in level)
        # A book's totals are kept beside its queues; both must say the same.
        assert level.quantity == sum(queue), level.price
        assert level.count == len(queue), level.price
        levels.append(Level(level.price, queue))
    return levels

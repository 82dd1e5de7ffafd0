"""Draws a book as a ladder of bid, price and ask, and reads such a drawing.

      bid          price   ask
                   10.02   300 bob
                   10.01   100+50
      200 alice     9.99

Each number is one resting order, and the name behind it is its owner. Orders queue at a
price from left to right. An order without a name belongs to the maker.
"""

import re
from typing import NamedTuple

from tests.support import amounts

MAKER = "maker"
HEADING = ["bid", "price", "ask"]
ROW = re.compile(r"(?P<bid>[^.]*?)\s*(?P<price>\d[\d,]*\.\d+)\s*(?P<ask>[^.]*)")
ORDER = re.compile(r"(?P<quantity>\d+)(?: (?P<owner>\w+))?")


class Resting(NamedTuple):
    """One order in the book: its open quantity and its owner."""

    quantity: int
    owner: str


class Level(NamedTuple):
    """A price and the orders that rest at it, oldest first."""

    price: int
    queue: tuple[Resting, ...]


class Ladder(NamedTuple):
    """Both sides of a book, best price first."""

    bids: list[Level]
    asks: list[Level]


def read(lines: list[str]) -> Ladder:
    """Return the book that a drawing shows.

    Raises:
        ValueError: a line is not one price with the orders of one side.
    """
    bids: list[Level] = []
    asks: list[Level] = []
    for line in lines:
        if line.split() == HEADING:
            continue
        row = ROW.fullmatch(line.strip())
        if row is None or bool(row["bid"]) is bool(row["ask"]):
            raise ValueError(f"no level of a book: {line}")
        level = Level(amounts.read(row["price"]), _queue(row["bid"] or row["ask"]))
        (bids if row["bid"] else asks).append(level)
    return Ladder(sorted(bids, reverse=True), sorted(asks))


def _queue(words: str) -> tuple[Resting, ...]:
    orders = [ORDER.fullmatch(each.strip()) for each in words.split("+")]
    if None in orders:
        raise ValueError(f"no orders of a book: {words}")
    return tuple(
        Resting(int(each["quantity"]), each["owner"] or MAKER)
        for each in orders
        if each is not None
    )


def draw(ladder: Ladder) -> list[str]:
    """Return the canonical drawing of a book."""
    rows = [("", _price(each), _word(each)) for each in reversed(ladder.asks)]
    rows += [(_word(each), _price(each), "") for each in ladder.bids]
    rows.insert(0, ("bid", "price", "ask"))
    bid, price = (max(len(row[place]) for row in rows) for place in (0, 1))
    return [f"{b:>{bid}}   {p:>{price}}   {a}".rstrip() for b, p, a in rows]


def _price(level: Level) -> str:
    return amounts.written(level.price)


def _word(level: Level) -> str:
    return " + ".join(
        f"{each.quantity}" if each.owner == MAKER else f"{each.quantity} {each.owner}"
        for each in level.queue
    )

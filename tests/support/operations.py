"""Requests to a small exchange, drawn from a seed or by hypothesis.

`Actions` turns operations into the actions of a scenario, so that every market that
plays scenarios also takes operations.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from hypothesis import strategies as st

from domain.vocabulary import SelfTradePrevention, Side, TimeInForce
from tests.support.scenario import (
    Action,
    Cancel,
    CancelAll,
    Halt,
    Place,
    Prefer,
    Replace,
    Resume,
    Roll,
    Terms,
)

TRADERS = ("alice", "bob", "carol", "dave")
TICK = 100
MIDDLE = 100_000
WEIGHTS = {
    "limit": 60,
    "market": 8,
    "cancel": 8,
    "replace": 20,
    "cancel all": 1,
    "roll": 1,
    "halt": 1,
    "resume": 6,
    "terms": 2,
    "prefer": 4,
}
#: Most orders may rest, so that others have something to trade with.
TIMES = [*TimeInForce, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY]


class Operation(NamedTuple):
    """One request. Its kind ignores the fields that it does not need.

    `away` is in ticks from the middle, `target` picks one of the earlier orders. A
    cancel with `suspended` is the administrator's.
    """

    kind: str
    trader: str
    side: Side
    quantity: int
    away: int
    tif: TimeInForce
    stp: SelfTradePrevention | None
    target: int
    suspended: bool

    @property
    def price(self) -> int:
        return MIDDLE + self.away * TICK

    @property
    def new_price(self) -> int | None:
        """Return the price of a replacement; None leaves the price as it is."""
        return None if self.away % 2 else self.price

    @property
    def terms(self) -> dict[str, int]:
        return {
            "band": self.quantity * 20,
            "maker-fee": self.target % 30,
            "taker-fee": self.quantity,
        }


def endless(
    seed: int,
    *,
    traders: Sequence[str] = TRADERS,
    weights: Mapping[str, int] = WEIGHTS,
) -> Iterator[Operation]:
    """Yield operations of these kinds, in these parts: the same for the same seed."""
    rng = random.Random(seed)
    kinds, parts = list(weights), list(weights.values())
    while True:
        yield Operation(
            rng.choices(kinds, parts)[0],
            rng.choice(traders),
            side := rng.choice(list(Side)),
            rng.choice((0, *range(1, 30), 1_000)),
            rng.randint(-12, 4) * (1 if side is Side.BUY else -1),
            rng.choice(TIMES),
            rng.choice((None, None, *SelfTradePrevention)),
            # Mostly one of the newest orders, because most old ones have ended.
            rng.choice((rng.randint(1, 8), rng.randint(1, 100))),
            rng.random() < 0.1,
        )


def from_seed(seed: int, count: int) -> list[Operation]:
    return list(islice(endless(seed), count))


OPERATIONS: st.SearchStrategy[list[Operation]] = st.lists(
    st.builds(
        Operation,
        kind=st.sampled_from([kind for kind, n in WEIGHTS.items() for _ in range(n)]),
        trader=st.sampled_from(TRADERS),
        side=st.sampled_from(Side),
        quantity=st.integers(0, 30),
        away=st.integers(-4, 4),
        tif=st.sampled_from(TIMES),
        stp=st.sampled_from([None, *SelfTradePrevention]),
        target=st.integers(1, 10),
        suspended=st.booleans(),
    ),
    max_size=60,
)


class Actions:
    """Turns operations into actions. Knows the orders so far, and their owners.

    `target` counts from the newest order. Every order id begins with `mark`.
    """

    def __init__(self, mark: str = "") -> None:
        self._mark = mark
        self.orders: list[tuple[str, str]] = []
        self._sent = 0
        self._days = 0

    def action(self, asked: Operation) -> Action:
        match asked.kind:
            case "limit" | "market":
                return self._place(asked)
            case "cancel":
                owner, order_id = self._target(asked)
                by = "administrator" if asked.suspended else owner
                return Cancel(by, owner, order_id)
            case "replace":
                return self._replace(asked)
            case "cancel all":
                return CancelAll(asked.trader)
            case "prefer":
                return Prefer(asked.trader, asked.stp, asked.suspended)
            case "halt":
                return Halt()
            case "resume":
                return Resume()
            case "roll":
                self._days += 1
                return Roll((date(2026, 1, 1) + timedelta(self._days)).isoformat())
            case _:
                return Terms(asked.terms)

    def _place(self, asked: Operation) -> Place:
        price = asked.price if asked.kind == "limit" else None
        return Place(
            asked.trader,
            self._new_id(asked.trader),
            asked.side,
            asked.quantity,
            price,
            asked.tif,
            asked.stp,
        )

    def _replace(self, asked: Operation) -> Replace:
        owner, order_id = self._target(asked)
        new_id = self._new_id(owner)
        return Replace(owner, order_id, new_id, asked.quantity, asked.new_price, None)

    def _new_id(self, owner: str) -> str:
        self._sent += 1
        return f"{self._mark}{owner}-{self._sent}"

    def accepted(self, action: Action) -> None:
        """Note an action that the market accepted: later ones may target its order."""
        match action:
            case Place(owner, order_id) | Replace(owner, _, order_id):
                self.orders.append((owner, order_id))
            case _:
                pass

    def _target(self, asked: Operation) -> tuple[str, str]:
        """Return an owner and an order, or an order that never existed."""
        if not self.orders:
            return asked.trader, "none"
        return self.orders[-1 - (asked.target - 1) % len(self.orders)]

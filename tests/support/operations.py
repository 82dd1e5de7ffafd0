"""Things that people may ask of a small exchange, drawn from a seed or by hypothesis.

An operation is carried out on a real exchange and on the reference market; `Both` does
so and compares whatever can be seen.
"""

import random
from typing import NamedTuple

from hypothesis import strategies as st

from commands.messages import (
    CancelAllOrders,
    CancelOrder,
    ChangeListing,
    Command,
    HaltMarket,
    ListingChanges,
    PlaceOrder,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
    SetPreferences,
)
from domain.events.event import Meta
from domain.order import Replacement, Ticket
from domain.vocabulary import (
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
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
#: Most orders may rest, or there would be nothing to trade with.
TIMES = [*TimeInForce, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY]


class Operation(NamedTuple):
    """One thing asked for. What its kind has no use for is ignored.

    `away` is in ticks from the middle, `target` picks one of the earlier orders.
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
        """What a replacement asks for; None leaves the price as it is."""
        return None if self.away % 2 else self.price

    @property
    def band(self) -> int:
        return self.quantity * 20

    @property
    def fees(self) -> tuple[int, int]:
        """Maker's and taker's."""
        return self.target % 30, self.quantity


def from_seed(seed: int, count: int) -> list[Operation]:
    rng = random.Random(seed)
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    return [
        Operation(
            rng.choices(kinds, weights)[0],
            rng.choice(TRADERS),
            side := rng.choice(list(Side)),
            rng.choice((0, *range(1, 30), 1_000)),
            rng.randint(-12, 4) * (1 if side is Side.BUY else -1),
            rng.choice(TIMES),
            rng.choice((None, None, *SelfTradePrevention)),
            # Mostly one of the newest orders: the others have ended long ago.
            rng.choice((rng.randint(1, 8), rng.randint(1, 100))),
            rng.random() < 0.1,
        )
        for _ in range(count)
    ]


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


class Orders:
    """Which orders were asked for, and by whom: `target` counts from the newest."""

    def __init__(self) -> None:
        self.ids: list[tuple[str, str]] = []

    def new(self, trader: str) -> str:
        order_id = f"{trader}-{len(self.ids)}"
        self.ids.append((trader, order_id))
        return order_id

    def target(self, operation: Operation) -> tuple[str, str]:
        """Whose order and which; one that never was, where there are none."""
        if not self.ids:
            return operation.trader, "none"
        return self.ids[-1 - (operation.target - 1) % len(self.ids)]


class Commands:
    """Operations as commands to an exchange on which ACME is listed."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.number = 0
        self.days = 1

    def copy(self) -> "Commands":
        """The same commands will follow from both."""
        other = Commands()
        other.number, other.days = self.number, self.days
        other.orders.ids = self.orders.ids[:]
        return other

    def meta(self) -> Meta:
        self.number += 1
        return Meta(1_790_000_000_000_000 + self.number, "tester", f"op-{self.number}")

    def command(self, operation: Operation) -> Command:
        match operation.kind:
            case "limit" | "market":
                return PlaceOrder(self.meta(), self._ticket(operation))
            case "cancel":
                return CancelOrder(self.meta(), *self.orders.target(operation))
            case "replace":
                return self._replace(operation)
            case "cancel all":
                return CancelAllOrders(self.meta(), operation.trader)
            case "prefer":
                return SetPreferences(
                    self.meta(), operation.trader, operation.stp, operation.suspended
                )
            case _:
                return self._to_the_market(operation)

    def _ticket(self, operation: Operation) -> Ticket:
        order_id = self.orders.new(operation.trader)
        is_limit = operation.kind == "limit"
        return Ticket(
            order_id,
            order_id,
            operation.trader,
            "ACME",
            operation.side,
            OrderType.LIMIT if is_limit else OrderType.MARKET,
            operation.tif,
            operation.quantity,
            operation.price if is_limit else None,
            operation.stp,
        )

    def _replace(self, operation: Operation) -> Command:
        account_id, order_id = self.orders.target(operation)
        new_id = self.orders.new(account_id)
        replacement = Replacement(
            new_id, new_id, operation.quantity, operation.new_price, None
        )
        return ReplaceOrder(self.meta(), account_id, order_id, replacement)

    def _to_the_market(self, operation: Operation) -> Command:
        match operation.kind:
            case "halt":
                return HaltMarket(self.meta(), "ACME", "news")
            case "resume":
                return ResumeMarket(self.meta(), "ACME")
            case "roll":
                self.days += 1
                return RollDay(self.meta(), "ACME", f"2026-{self.days:06}")
            case _:
                maker_fee, taker_fee = operation.fees
                changes = ListingChanges(
                    price_band=operation.band,
                    maker_fee=maker_fee,
                    taker_fee=taker_fee,
                )
                return ChangeListing(self.meta(), "ACME", changes)

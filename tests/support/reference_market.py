"""A market told as simply as it can be told: lists, sorted anew each time.

It shares no code with the product and knows nothing of its facts; it is what the
numbered rules of docs/rules/ say, once more. Words are plain text, amounts are plain
integers in 1/10,000 of a dollar, fractions are exact.
"""

import copy
import math
from dataclasses import dataclass, field
from fractions import Fraction

OPEN = ("new", "partially_filled")


@dataclass
class Slip:
    """An order on paper."""

    order_id: str
    owner: str
    side: str
    quantity: int
    price: int | None
    tif: str
    stp: str
    entered: int = 0
    leaves: int = 0
    #: Only what rests can be met; an incoming order is open, too.
    rests: bool = False
    status: str = "new"
    maker_fee: int = 0
    backing: int = 0

    @property
    def filled(self) -> int:
        return self.quantity - self.leaves


@dataclass
class Account:
    """What somebody owns, holds aside aside."""

    cash: int
    shares: int
    cost: int
    stp: str = "cancel_newest"
    suspended: bool = False


@dataclass(frozen=True)
class Fill:
    maker: str
    taker: str
    price: int
    quantity: int
    maker_fee: int
    taker_fee: int


class Refused(Exception):
    """Turned away, with the code that says why."""


@dataclass
class ReferenceMarket:
    """One instrument and everybody who trades it."""

    tick: int
    lot: int
    reference: int
    band: int | None = None
    collar: int = 500
    maker_fee: int = 0
    taker_fee: int = 0
    halted: bool = False
    house: int = 0
    clock: int = 0
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    slips: list[Slip] = field(default_factory=list[Slip])
    fills: list[Fill] = field(default_factory=list[Fill])

    # --- what can be seen ---

    def levels(self, side: str) -> list[tuple[int, int, int]]:
        """Price, quantity and number of orders, from the best price outward."""
        queue = self._queue(side)
        prices = list(dict.fromkeys(slip.price or 0 for slip in queue))
        return [
            (price, sum(s.leaves for s in at), len(at))
            for price in prices
            for at in [[slip for slip in queue if slip.price == price]]
        ]

    def held(self, owner: str) -> int:
        return sum(
            slip.backing * slip.leaves
            for slip in self._open(owner, "buy")
            if slip.rests
        )

    def reserved(self, owner: str) -> int:
        return sum(slip.leaves for slip in self._open(owner, "sell") if slip.rests)

    def find(self, owner: str, order_id: str) -> Slip:
        for slip in self.slips:
            if slip.order_id == order_id and slip.owner == owner:
                return slip
        raise Refused("not-found")

    def _open(self, owner: str, side: str) -> list[Slip]:
        return [
            slip
            for slip in self.slips
            if slip.owner == owner and slip.side == side and slip.status in OPEN
        ]

    def _queue(self, side: str) -> list[Slip]:
        resting = [
            s for s in self.slips if s.side == side and s.rests and s.status in OPEN
        ]
        sign = -1 if side == "buy" else 1
        return sorted(
            resting, key=lambda slip: (sign * (slip.price or 0), slip.entered)
        )

    def limits(self) -> tuple[int, int] | None:
        if self.band is None:
            return None
        width = Fraction(self.reference * self.band, 10_000)
        low = math.ceil((self.reference - math.floor(width)) / Fraction(self.tick))
        high = math.floor((self.reference + math.floor(width)) / Fraction(self.tick))
        return max(low, 1) * self.tick, high * self.tick

    # --- orders ---

    def place(self, slip: Slip) -> None:
        account = self.accounts[slip.owner]
        self._check_terms(slip.quantity, slip.price)
        if account.suspended:
            raise Refused("trading-suspended")
        slip.leaves = slip.quantity
        if self.halted or (slip.price is not None and self._outside(slip.price)):
            slip.status = "rejected"
            self.slips.append(slip)
            return
        worst = self._worst(slip)
        self._back(slip, worst)
        self.slips.append(slip)
        self._enter(slip, worst)

    def _check_terms(self, quantity: int, price: int | None) -> None:
        if quantity <= 0:
            raise Refused("invalid-parameter")
        if quantity % self.lot:
            raise Refused("off-lot")
        if price is not None and price <= 0:
            raise Refused("invalid-parameter")
        if price is not None and price % self.tick:
            raise Refused("off-tick")

    def _outside(self, price: int) -> bool:
        limits = self.limits()
        return limits is not None and not limits[0] <= price <= limits[1]

    def _worst(self, slip: Slip) -> int | None:
        if slip.price is not None:
            return slip.price
        limits = self.limits()
        if slip.side == "sell":
            return None if limits is None else limits[0]
        asks = self._queue("sell")
        if not asks:
            return None
        best = asks[0].price or 0
        exact = Fraction(best * (10_000 + self.collar), 10_000 * self.tick)
        # Python rounds a half to even.
        collar = round(exact) * self.tick
        return collar if limits is None else min(collar, limits[1])

    def _back(self, slip: Slip, worst: int | None) -> None:
        account = self.accounts[slip.owner]
        if slip.side == "sell":
            if slip.leaves > account.shares - self.reserved(slip.owner):
                raise Refused("insufficient-shares")
            return
        highest = max(self.maker_fee, self.taker_fee)
        price = worst or 0
        slip.backing = price + math.ceil(Fraction(price * highest, 10_000))
        if slip.backing * slip.leaves > account.cash - self.held(slip.owner):
            raise Refused("insufficient-funds")

    def _enter(self, slip: Slip, worst: int | None) -> None:
        self.clock += 1
        slip.entered = self.clock
        slip.maker_fee = self.maker_fee
        if slip.tif == "fok":
            rehearsal = copy.deepcopy(self)
            rehearsal._match(rehearsal.slips[-1], worst)
            if rehearsal.slips[-1].leaves:
                slip.status = "canceled"
                return
        self._match(slip, worst)
        if slip.status in OPEN:
            if slip.price is not None and slip.tif in ("day", "gtc"):
                slip.rests = True
            else:
                slip.status = "canceled"

    def _match(self, slip: Slip, worst: int | None) -> None:
        while slip.leaves:
            opposite = self._queue("sell" if slip.side == "buy" else "buy")
            if not opposite:
                return
            met = opposite[0]
            price = met.price or 0
            if worst is not None and (
                price > worst if slip.side == "buy" else price < worst
            ):
                return
            if met.owner != slip.owner:
                self._trade(met, slip, price)
                continue
            if slip.stp in ("cancel_oldest", "cancel_both"):
                met.status = "canceled"
            if slip.stp in ("cancel_newest", "cancel_both"):
                slip.status = "canceled"
                return

    def _trade(self, maker: Slip, taker: Slip, price: int) -> None:
        quantity = min(maker.leaves, taker.leaves)
        value = price * quantity
        fees = {
            maker.order_id: round(Fraction(value * maker.maker_fee, 10_000)),
            taker.order_id: round(Fraction(value * self.taker_fee, 10_000)),
        }
        for slip in (maker, taker):
            self._settle(slip, quantity, value, fees[slip.order_id])
            slip.leaves -= quantity
            slip.status = "partially_filled" if slip.leaves else "filled"
        self.house += sum(fees.values())
        self.fills.append(
            Fill(
                maker.order_id,
                taker.order_id,
                price,
                quantity,
                fees[maker.order_id],
                fees[taker.order_id],
            )
        )

    def _settle(self, slip: Slip, quantity: int, value: int, fee: int) -> None:
        account = self.accounts[slip.owner]
        if slip.side == "buy":
            account.cash -= value + fee
            account.cost += value + fee
            account.shares += quantity
        else:
            account.cash += value - fee
            account.cost -= math.floor(
                Fraction(account.cost * quantity, account.shares)
            )
            account.shares -= quantity

    # --- what becomes of orders ---

    def cancel(self, owner: str, order_id: str) -> None:
        self._opened(owner, order_id).status = "canceled"

    def cancel_all(self, owner: str) -> None:
        for slip in self._open(owner, "buy") + self._open(owner, "sell"):
            slip.status = "canceled"

    def expire_day_orders(self) -> None:
        for slip in self.slips:
            if slip.status in OPEN and slip.tif == "day":
                slip.status = "expired"

    def _opened(self, owner: str, order_id: str) -> Slip:
        slip = self.find(owner, order_id)
        if slip.status not in OPEN:
            raise Refused("order-done")
        return slip

    def replace(
        self,
        owner: str,
        order_id: str,
        new_id: str,
        *,
        quantity: int,
        price: int | None,
    ) -> None:
        old = self._opened(owner, order_id)
        if self.accounts[owner].suspended:
            raise Refused("trading-suspended")
        if self.halted:
            raise Refused("market-halted")
        price = price or old.price or 0
        self._check_terms(quantity, price)
        if self._outside(price):
            raise Refused("price-outside-band")
        if quantity <= old.filled:
            raise Refused("nothing-to-replace")
        new = copy.copy(old)
        new.order_id, new.quantity, new.price = new_id, quantity, price
        new.leaves = quantity - old.filled
        old.status = "replaced"
        try:
            self._back(new, price)
        except Refused:
            old.status = "partially_filled" if old.filled else "new"
            raise
        new.maker_fee = self.maker_fee
        self.slips.append(new)
        if price != old.price or quantity > old.quantity:
            new.rests = False
            self._enter(new, price)
        if new.status in OPEN:
            new.status = "partially_filled" if new.filled else "new"

"""A market in its simplest form: lists, sorted again for every question.

The reference market shares no code with the product and knows none of its facts. It
implements the numbered rules of docs/rules/ a second time. Words are plain text,
amounts are plain integers in 1/10,000 of a dollar, fractions are exact.
"""

import copy
import math
from dataclasses import dataclass, field
from fractions import Fraction

from tests.support.reference_words import (
    Account,
    Ended,
    Fill,
    Happened,
    Refused,
    Rejected,
    Rolled,
    Slip,
)

OPEN = ("new", "partially_filled")
OUTSIDE = "price-outside-band"
TOO_LARGE = "amount-too-large"
PRICE_MAX = 10**11
QUANTITY_MAX = 10**9
MONEY_MAX = 10**17


@dataclass
class ReferenceMarket:
    """One instrument and its traders."""

    tick: int
    lot: int
    reference: int
    band: int | None = None
    collar: int = 500
    maker_fee: int = 0
    taker_fee: int = 0
    halted: bool = False
    session: str = "2026-01-01"
    trades: int = 0
    last: int | None = None
    close: int | None = None
    house: int = 0
    clock: int = 0
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    slips: list[Slip] = field(default_factory=list[Slip])
    #: The market's outcomes since the caller last emptied the list.
    happened: list[Happened] = field(default_factory=list[Happened])

    # --- queries ---

    def held(self, owner: str) -> int:
        return sum(
            slip.backing * slip.leaves
            for slip in self._open(owner, "buy")
            if slip.rests
        )

    def reserved(self, owner: str) -> int:
        return sum(slip.leaves for slip in self._open(owner, "sell") if slip.rests)

    def slip(self, order_id: str) -> Slip:
        (slip,) = (each for each in self.slips if each.order_id == order_id)
        return slip

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

    def queue(self, side: str) -> list[Slip]:
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
        bound = None if slip.price is None else self._broken(slip.price)
        if self.halted or bound is not None:
            slip.status = "rejected"
            self.slips.append(slip)
            why = ("market-halted", None) if self.halted else (OUTSIDE, bound)
            self.happened.append(Rejected(slip.order_id, *why))
            return
        worst = self._worst(slip)
        self._back(slip, worst)
        self.slips.append(slip)
        self._enter(slip, worst)

    def _check_terms(self, quantity: int, price: int | None) -> None:
        if quantity <= 0:
            raise Refused("invalid-parameter")
        if quantity > QUANTITY_MAX:
            raise Refused(TOO_LARGE)
        if quantity % self.lot:
            raise Refused("off-lot")
        if price is None:
            return
        if price <= 0:
            raise Refused("invalid-parameter")
        if price > PRICE_MAX or price * quantity > MONEY_MAX:
            raise Refused(TOO_LARGE)
        if price % self.tick:
            raise Refused("off-tick")

    def _broken(self, price: int) -> int | None:
        """Return the limit of the band that a price breaks."""
        low, high = self.limits() or (price, price)
        return low if price < low else high if price > high else None

    def _worst(self, slip: Slip) -> int | None:
        if slip.price is not None:
            return slip.price
        limits = self.limits()
        if slip.side == "sell":
            return None if limits is None else limits[0]
        asks = self.queue("sell")
        if not asks:
            return None
        best = asks[0].price or 0
        exact = Fraction(best * (10_000 + self.collar), 10_000 * self.tick)
        # Python's `round` rounds a half to even.
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
        if slip.backing * slip.leaves > MONEY_MAX:
            raise Refused(TOO_LARGE)
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
                self._end(slip, "fill-or-kill")
                return
        self._match(slip, worst)
        if slip.status in OPEN:
            if slip.price is not None and slip.tif in ("day", "gtc"):
                slip.rests = True
            else:
                self._end(slip, self._why_canceled(slip, worst))

    def _why_canceled(self, slip: Slip, worst: int | None) -> str:
        if slip.price is not None:
            return "immediate-or-cancel"
        if not self.queue("sell" if slip.side == "buy" else "buy"):
            return "no-liquidity"
        return "price-band" if worst in (self.limits() or ()) else "collar"

    def _end(self, slip: Slip, reason: str) -> None:
        slip.status = "expired" if reason == "expired" else "canceled"
        price = slip.price if slip.rests else None
        self.happened.append(Ended(slip.order_id, slip.leaves, price, reason))

    def _match(self, slip: Slip, worst: int | None) -> None:
        while slip.leaves:
            opposite = self.queue("sell" if slip.side == "buy" else "buy")
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
                self._end(met, "self-trade")
            if slip.stp in ("cancel_newest", "cancel_both"):
                self._end(slip, "self-trade")
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
        self.trades += 1
        self.last = price
        self.happened.append(
            Fill(
                self.trades,
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

    # --- the life of orders ---

    def cancel(self, owner: str, order_id: str, reason: str = "requested") -> None:
        self._end(self._opened(owner, order_id), reason)

    def cancel_all(self, owner: str) -> None:
        for slip in self._open(owner, "buy") + self._open(owner, "sell"):
            self._end(slip, "requested")

    def roll(self, session: str) -> None:
        if session <= self.session:
            return
        for slip in self.queue("buy") + self.queue("sell"):
            if slip.tif == "day":
                self._end(slip, "expired")
        self.session = session
        self.close = self.close if self.last is None else self.last
        self.happened.append(Rolled(session, self.close))

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
        quantity: int | None = None,
        price: int | None = None,
        tif: str | None = None,
    ) -> None:
        old = self._opened(owner, order_id)
        new = copy.copy(old)
        new.order_id, new.tif = new_id, tif or old.tif
        new.quantity = old.quantity if quantity is None else quantity
        new.price = old.price if price is None else price
        new.leaves = new.quantity - old.filled
        self._check_replacement(old, new)
        old.status = "replaced"
        try:
            self._back(new, new.price)
        except Refused:
            old.status = "partially_filled" if old.filled else "new"
            raise
        new.maker_fee = self.maker_fee
        self.slips.append(new)
        if new.price != old.price or new.quantity > old.quantity:
            new.rests = False
            self._enter(new, new.price)
        if new.status in OPEN:
            new.status = "partially_filled" if new.filled else "new"

    def _check_replacement(self, old: Slip, new: Slip) -> None:
        if self.accounts[old.owner].suspended:
            raise Refused("trading-suspended")
        if self.halted:
            raise Refused("market-halted")
        if new.tif not in ("day", "gtc"):
            raise Refused("invalid-parameter")
        self._check_terms(new.quantity, new.price)
        bound = self._broken(new.price or 0)
        if bound is not None:
            raise Refused(OUTSIDE, bound)
        if new.quantity <= old.filled:
            raise Refused("nothing-to-replace")

    # --- the settings of the market and its accounts ---

    def change(self, terms: dict[str, int]) -> None:
        """Change the terms of the listing. A band of 0 removes the band."""
        new = copy.copy(self)
        for name, value in terms.items():
            setattr(new, name, value)
        resting = self.queue("buy") + self.queue("sell")
        if (
            not 0 <= (new.band or 0) < 10_000
            or new.reference % new.tick
            or any((slip.price or 0) % new.tick for slip in resting)
            or any(slip.leaves % new.lot or slip.quantity % new.lot for slip in resting)
        ):
            raise Refused("invalid-listing")
        for name, value in terms.items():
            setattr(self, name, value)
        self.band = self.band or None

    def prefer(self, owner: str, stp: str | None, suspended: bool | None) -> None:
        account = self.accounts[owner]
        account.stp = stp or account.stp
        if suspended is not None:
            account.suspended = suspended

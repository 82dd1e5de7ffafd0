"""The terms an instrument trades on, and the arithmetic of its ticks and bands."""

import msgspec

from domain.errors import AmountTooLarge, InvalidListing, InvalidOrder, OffLot, OffTick
from domain.ids import AssetId, Symbol
from domain.money import (
    BASIS_POINTS,
    MONEY_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    Money,
    Price,
    Quantity,
    divide_half_even,
    fee_ceiling,
)

#: The maximum of an instrument's shares outstanding.
SHARES_MAX = 10**17


class Listing(msgspec.Struct, frozen=True, gc=False):
    """The terms of one instrument. Prices are in 1/10,000 of a dollar.

    `price_band` is in basis points of the reference price; None allows every price.
    `collar` is in basis points of the best ask. Fees are in basis points.
    """

    symbol: Symbol
    asset_id: AssetId
    name: str
    exchange: str
    tick_size: Price
    lot_size: Quantity
    reference_price: Price
    price_band: int | None = None
    collar: int = 500
    maker_fee: int = 0
    taker_fee: int = 0
    description: str = ""
    sector: str = ""
    logo_url: str = ""
    shares_outstanding: int = 0

    def check(self) -> None:
        """Check that orders can trade under these terms.

        Raises:
            InvalidListing: a term is out of its range or off the tick.
        """
        band = 1 if self.price_band is None else self.price_band
        for name, fits in (
            ("tick_size", 1 <= self.tick_size <= PRICE_MAX),
            ("lot_size", 1 <= self.lot_size <= QUANTITY_MAX),
            ("reference_price", 1 <= self.reference_price <= PRICE_MAX),
            ("price_band", 1 <= band < BASIS_POINTS),
            ("collar", 0 <= self.collar <= BASIS_POINTS),
            ("maker_fee", 0 <= self.maker_fee <= BASIS_POINTS),
            ("taker_fee", 0 <= self.taker_fee <= BASIS_POINTS),
            ("shares_outstanding", 0 <= self.shares_outstanding <= SHARES_MAX),
        ):
            if not fits:
                raise InvalidListing(f"{name} is out of its range", field=name)
        if self.reference_price % self.tick_size:
            raise InvalidListing(
                "reference_price must be a multiple of tick_size",
                field="reference_price",
            )

    def check_price(self, price: Price, *, quantity: Quantity) -> None:
        """Check that a price is positive, on the tick and within the venue's maximum.

        The maximum also bounds price times quantity.
        """
        if price <= 0:
            raise InvalidOrder("a price must be more than zero", field="limit_price")
        if price > PRICE_MAX:
            raise AmountTooLarge("the price is beyond what the venue carries")
        if price * quantity > MONEY_MAX:
            raise AmountTooLarge("qty times the price is more than the venue carries")
        if price % self.tick_size:
            raise OffTick(price=price, tick_size=self.tick_size)

    def check_quantity(self, quantity: Quantity) -> None:
        """Check that a quantity is positive, not too large and in whole lots."""
        if quantity <= 0:
            raise InvalidOrder("a quantity must be more than zero", field="qty")
        if quantity > QUANTITY_MAX:
            raise AmountTooLarge("the quantity is beyond what the venue carries")
        if quantity % self.lot_size:
            raise OffLot(quantity=quantity, lot_size=self.lot_size)

    def band(self) -> tuple[Price, Price] | None:
        """Return the lowest and highest price that may trade, on the tick (BAND-01)."""
        if self.price_band is None:
            return None
        width = self.reference_price * self.price_band // BASIS_POINTS
        tick = self.tick_size
        low = -(-(self.reference_price - width) // tick) * tick
        return max(low, tick), (self.reference_price + width) // tick * tick

    def broken_bound(self, price: Price) -> Price | None:
        """Return the bound of the band that a price breaks, if any (BAND-02)."""
        band = self.band()
        if band is None or band[0] <= price <= band[1]:
            return None
        return band[0] if price < band[0] else band[1]

    def collared(self, best_ask: Price) -> Price:
        """Return the most that a market buy may pay for a share (rule MATCH-09).

        It is the best ask plus the collar, rounded to the tick, within the band.
        """
        exact = best_ask * (BASIS_POINTS + self.collar)
        steps = divide_half_even(exact, BASIS_POINTS * self.tick_size)
        price = steps * self.tick_size
        band = self.band()
        return price if band is None else min(price, band[1])

    def hold_of_buy(
        self, worst_price: Price, quantity: Quantity
    ) -> tuple[Money, Price]:
        """Return what to hold for a buy: in all, and for each share.

        It covers the worst price and the highest fee on it (rule FEE-03).
        """
        per_share = worst_price
        highest = max(self.maker_fee, self.taker_fee)
        if highest:
            per_share += fee_ceiling(worst_price, basis_points=highest)
        amount = per_share * quantity
        if amount > MONEY_MAX:
            raise AmountTooLarge("qty times the price is more than the venue carries")
        return amount, per_share

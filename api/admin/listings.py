"""The request bodies that list an instrument or change its terms."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.http.numbers import Number
from api.wire.amounts import fraction, price, quantity
from api.wire.asset import Exchange
from commands.messages import ListingChanges
from domain.ids import AssetId, Symbol
from domain.listing import Listing
from domain.money import Price

SymbolText = Annotated[
    Symbol,
    msgspec.Meta(
        # In Python, `$` also matches before a line end. `\Z` would not, but OpenAPI
        # patterns follow ECMAScript, which does not know it.
        pattern=r"^[A-Z0-9][A-Z0-9.\-]{0,11}(?!\n)$",
        description="1 to 12 characters: A to Z, 0 to 9, dot and hyphen.",
    ),
]
NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
LongText = Annotated[str, msgspec.Meta(max_length=4_000)]
ShortText = Annotated[str, msgspec.Meta(max_length=500)]
BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Shares = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class NewAsset(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An instrument to list. `price_band` and `collar` are fractions of a price: 0.10
    means ten percent. A `price_band` of null or 0 means no band."""

    symbol: SymbolText
    name: NameText
    exchange: Exchange = ""
    tick_size: Number = Number("0.01")
    lot_size: Number = Number(1)
    reference_price: Number
    price_band: Number | None = None
    collar: Number = Number("0.05")
    maker_fee_bps: BasisPoints = 0
    taker_fee_bps: BasisPoints = 0
    description: LongText = ""
    sector: ShortText = ""
    logo_url: ShortText = ""
    shares_outstanding: Shares = 0

    def listing(self, asset_id: AssetId) -> Listing:
        return Listing(
            symbol=self.symbol,
            asset_id=asset_id,
            name=self.name,
            exchange=self.exchange,
            tick_size=price(self.tick_size, "tick_size"),
            lot_size=quantity(self.lot_size, "lot_size"),
            reference_price=price(self.reference_price, "reference_price"),
            price_band=fraction(self.price_band or Number(0), "price_band") or None,
            collar=fraction(self.collar, "collar"),
            maker_fee=self.maker_fee_bps,
            taker_fee=self.taker_fee_bps,
            description=self.description,
            sector=self.sector,
            logo_url=self.logo_url,
            shares_outstanding=self.shares_outstanding,
        )


class AssetChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """New terms. Missing terms stay; a `price_band` of null or 0 removes the band."""

    name: NameText | None = None
    exchange: Exchange | None = None
    tick_size: Number | None = None
    lot_size: Number | None = None
    reference_price: Number | None = None
    price_band: Number | UnsetType | None = UNSET
    collar: Number | None = None
    maker_fee_bps: BasisPoints | None = None
    taker_fee_bps: BasisPoints | None = None
    description: LongText | None = None
    sector: ShortText | None = None
    logo_url: ShortText | None = None
    shares_outstanding: Shares | None = None

    def changes(self) -> ListingChanges:
        band = self.price_band
        return ListingChanges(
            name=self.name,
            exchange=self.exchange,
            tick_size=_price(self.tick_size, "tick_size"),
            lot_size=None
            if self.lot_size is None
            else quantity(self.lot_size, "lot_size"),
            reference_price=_price(self.reference_price, "reference_price"),
            price_band=None
            if band is UNSET
            else fraction(band or Number(0), "price_band"),
            collar=None if self.collar is None else fraction(self.collar, "collar"),
            maker_fee=self.maker_fee_bps,
            taker_fee=self.taker_fee_bps,
            description=self.description,
            sector=self.sector,
            logo_url=self.logo_url,
            shares_outstanding=self.shares_outstanding,
        )


def _price(value: Number | None, field: str) -> Price | None:
    return None if value is None else price(value, field)

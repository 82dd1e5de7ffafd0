"""The wire form of an instrument, in the shape of Alpaca's API."""

from typing import Literal

import msgspec

from api.wire.text import instant
from domain.events.event import Timestamp
from domain.ids import AssetId, Symbol
from domain.listing import Listing
from domain.money import text

#: Alpaca's clients fail on any other exchange.
Exchange = Literal[
    "AMEX",
    "ARCA",
    "ASCX",
    "BATS",
    "NYSE",
    "NASDAQ",
    "NYSEARCA",
    "FTXU",
    "CBSE",
    "GNSS",
    "ERSX",
    "OTC",
    "CRYPTO",
    "",
]


class Asset(msgspec.Struct, rename={"asset_class": "class"}, kw_only=True):
    """An instrument. Alpaca's API does not have the keys from `halted` on. `price_band`
    and `collar` are fractions of a price; fees are in basis points."""

    id: AssetId
    symbol: Symbol
    name: str
    exchange: str
    tradable: bool
    price_increment: str
    min_trade_increment: str
    min_order_size: str
    asset_class: str = "us_equity"
    status: Literal["active", "inactive"] = "active"
    marginable: bool = False
    shortable: bool = False
    easy_to_borrow: bool = False
    fractionable: bool = False
    maintenance_margin_requirement: str = "0"
    attributes: list[str] = []
    halted: bool
    halt_reason: str | None
    tick_size: str
    lot_size: str
    reference_price: str
    price_band: str | None
    collar: str
    maker_fee_bps: int
    taker_fee_bps: int
    description: str
    sector: str
    logo_url: str
    shares_outstanding: int
    session_date: str
    listed_at: str


def asset_of(
    listing: Listing,
    *,
    halt_reason: str | None,
    session_date: str,
    listed_at: Timestamp,
) -> Asset:
    """Return the wire form of a listing. Trading is halted if there is a reason."""
    halted = halt_reason is not None
    tick, lot = text(listing.tick_size), str(listing.lot_size)
    band = listing.price_band
    return Asset(
        id=listing.asset_id,
        symbol=listing.symbol,
        name=listing.name,
        exchange=listing.exchange,
        tradable=not halted,
        price_increment=tick,
        min_trade_increment=lot,
        min_order_size=lot,
        halted=halted,
        halt_reason=halt_reason,
        tick_size=tick,
        lot_size=lot,
        reference_price=text(listing.reference_price),
        # Both basis points and money count 1/10,000, so one function writes both.
        price_band=None if band is None else text(band),
        collar=text(listing.collar),
        maker_fee_bps=listing.maker_fee,
        taker_fee_bps=listing.taker_fee,
        description=listing.description,
        sector=listing.sector,
        logo_url=listing.logo_url,
        shares_outstanding=listing.shares_outstanding,
        session_date=session_date,
        listed_at=instant(listed_at),
    )

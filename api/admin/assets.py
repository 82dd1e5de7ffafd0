"""Instruments: list them, change their terms, halt and resume trading."""

from datetime import tzinfo
from typing import Annotated

import msgspec
from litestar import Response, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from api.admin.listings import AssetChanges, NewAsset
from api.http.request_context import CallDependency
from api.wire.asset import Asset, asset_of
from api.write.answers import response_of
from api.write.door import DoorDependency, WriteDoor
from commands.answers import Answer
from commands.command_port import MarketState
from commands.messages import (
    ChangeListing,
    HaltMarket,
    ListAsset,
    ResumeMarket,
)
from domain.errors import NotFound
from domain.events.market import Listed
from domain.ids import Symbol
from domain.market.trading_day import session_date

TAGS = ["admin"]

ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


async def _market(door: WriteDoor, name: Symbol) -> MarketState:
    """Return the market before the command.

    Once the command is durable, this writer may have lost the lease.
    """
    market = await door.port.market(name)
    if market is None:
        raise NotFound("asset", name)
    return market


def _asset(before: MarketState, answer: Answer) -> Asset:
    """Return the instrument after the command, or as it is now if repeated."""
    market = before if answer.repeated else before.after(answer.facts)
    return asset_of(
        market.listing,
        halt_reason=market.halt_reason,
        session_date=market.session_date,
        listed_at=market.listed_at,
    )


@post("/v2/admin/assets", tags=TAGS)
async def list_asset(
    data: JSONBody[NewAsset],
    call: CallDependency,
    door: DoorDependency,
    market_timezone: NamedDependency[tzinfo],
) -> Response[Asset]:
    """List an instrument. No other instrument can ever have the same symbol."""
    meta = door.meta(call, "list", data)
    listing = data.listing(door.new_id())
    date = session_date(meta.at, market_timezone)
    answer = await door.execute(ListAsset(meta, listing, date))
    listed = answer.facts[0].event
    assert isinstance(listed, Listed)
    asset = asset_of(
        listed.listing,
        halt_reason=None,
        session_date=listed.session_date,
        listed_at=listed.meta.at,
    )
    return response_of(asset, answer, status=201)


@patch("/v2/admin/assets/{symbol:str}", tags=TAGS)
async def change_asset(
    data: JSONBody[AssetChanges],
    symbol: FromPath[Symbol],
    call: CallDependency,
    door: DoorDependency,
    *,
    force: FromQuery[bool] = False,
) -> Response[Asset]:
    """Change an instrument's terms. The terms that the body omits stay. A change that
    leaves resting orders outside the new price band is refused with the reason
    `orders-outside-band`; with `force` it is carried out, and the log says so."""
    market = await _market(door, symbol)
    # Without force, the digest is the one that older versions recorded.
    meta = door.meta(call, "edit", symbol, data, *(["force"] if force else []))
    command = ChangeListing(meta, market.listing.symbol, data.changes(), force)
    answer = await door.execute(command)
    return response_of(_asset(market, answer), answer)


class Halt(msgspec.Struct, forbid_unknown_fields=True):
    """The reason for a halt."""

    reason: ReasonText = "halted by the venue"


@post("/v2/admin/assets/{symbol:str}/halt", tags=TAGS, status_code=200)
async def halt_asset(
    symbol: FromPath[Symbol],
    call: CallDependency,
    door: DoorDependency,
    data: JSONBody[Halt | None] = None,
) -> Response[Asset]:
    """Halt trading in an instrument. Resting orders stay; their owners may cancel
    them."""
    market = await _market(door, symbol)
    reason = (data or Halt()).reason
    meta = door.meta(call, "halt", symbol, reason)
    answer = await door.execute(HaltMarket(meta, market.listing.symbol, reason))
    return response_of(_asset(market, answer), answer)


@post("/v2/admin/assets/{symbol:str}/resume", tags=TAGS, status_code=200)
async def resume_asset(
    symbol: FromPath[Symbol], call: CallDependency, door: DoorDependency
) -> Response[Asset]:
    """Resume trading in an instrument."""
    market = await _market(door, symbol)
    meta = door.meta(call, "resume", symbol)
    answer = await door.execute(ResumeMarket(meta, market.listing.symbol))
    return response_of(_asset(market, answer), answer)

"""What the venue's administrators do: list and halt, fund accounts, give roles."""

from datetime import tzinfo
from typing import Annotated

import msgspec
from litestar import Response, delete, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from api.http.numbers import Number
from api.http.request_context import GivenCall
from api.http.request_errors import BadParameter
from api.wire.amounts import money, price, quantity
from api.wire.asset import Asset, asset_of
from api.write.answers import answered, done
from api.write.door import GivenDoor, WriteDoor
from api.write.listings import AssetChanges, NewAsset
from api.write.placed import not_held
from commands.answers import Answer, NotHeld
from commands.command_port import MarketState
from commands.messages import (
    CancelForOwner,
    ChangeListing,
    Deposit,
    GrantRole,
    GrantShares,
    HaltMarket,
    ListAsset,
    ResumeMarket,
)
from domain.errors import NotFound
from domain.events.market import Listed
from domain.ids import AccountId, LogPosition, OrderId, Symbol, UserId
from domain.trading_day import session_date
from domain.vocabulary import Role

TAGS = ["admin"]

ReferenceText = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


async def _market(door: WriteDoor, name: Symbol) -> MarketState:
    """Return the market to change, as it is before the command.

    Not after it: this writer may have lost the lease when the command is durable.
    """
    market = await door.port.market(name)
    if market is None:
        raise NotFound("asset", name)
    return market


def _asset(before: MarketState, answer: Answer) -> Asset:
    """Return the instrument after the command; after a repeated one, as it is now."""
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
    call: GivenCall,
    door: GivenDoor,
    market_timezone: NamedDependency[tzinfo],
) -> Response[Asset]:
    """List an instrument. Its symbol is taken for good."""
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
    return answered(asset, answer, status=201)


@patch("/v2/admin/assets/{symbol:str}", tags=TAGS)
async def change_asset(
    data: JSONBody[AssetChanges],
    symbol: FromPath[Symbol],
    call: GivenCall,
    door: GivenDoor,
) -> Response[Asset]:
    """Edit an instrument's terms."""
    market = await _market(door, symbol)
    meta = door.meta(call, "edit", symbol, data)
    command = ChangeListing(meta, market.listing.symbol, data.changes())
    answer = await door.execute(command)
    return answered(_asset(market, answer), answer)


class Halt(msgspec.Struct, forbid_unknown_fields=True):
    """Why trading stops."""

    reason: ReasonText = "halted by the venue"


@post("/v2/admin/assets/{symbol:str}/halt", tags=TAGS, status_code=200)
async def halt_asset(
    symbol: FromPath[Symbol],
    call: GivenCall,
    door: GivenDoor,
    data: JSONBody[Halt | None] = None,
) -> Response[Asset]:
    """Stop trading. Resting orders stay, and may be canceled."""
    market = await _market(door, symbol)
    reason = (data or Halt()).reason
    meta = door.meta(call, "halt", symbol, reason)
    answer = await door.execute(HaltMarket(meta, market.listing.symbol, reason))
    return answered(_asset(market, answer), answer)


@post("/v2/admin/assets/{symbol:str}/resume", tags=TAGS, status_code=200)
async def resume_asset(
    symbol: FromPath[Symbol], call: GivenCall, door: GivenDoor
) -> Response[Asset]:
    """Start trading again."""
    market = await _market(door, symbol)
    meta = door.meta(call, "resume", symbol)
    answer = await door.execute(ResumeMarket(meta, market.listing.symbol))
    return answered(_asset(market, answer), answer)


class NewDeposit(msgspec.Struct, forbid_unknown_fields=True):
    """Cash to take in. The reference makes it once for the account."""

    amount: Number
    reference: ReferenceText | None = None


class NewShares(msgspec.Struct, forbid_unknown_fields=True):
    """Shares to take in, at a cost of `price` each."""

    symbol: str
    qty: Number
    price: Number
    reference: ReferenceText | None = None


class Funded(msgspec.Struct):
    """What came in is on the account at this log position."""

    account_id: AccountId
    log_position: LogPosition


@post("/v2/admin/accounts/{account_id:str}/deposits", tags=TAGS)
async def deposit(
    data: JSONBody[NewDeposit],
    account_id: FromPath[AccountId],
    call: GivenCall,
    door: GivenDoor,
) -> Response[Funded]:
    """Put cash on an account."""
    meta = door.meta(call, "deposit", account_id, data)
    reference = data.reference or door.new_id()
    amount = money(data.amount, "amount")
    answer = await door.execute(Deposit(meta, account_id, amount, reference))
    return answered(Funded(account_id, answer.position), answer, status=201)


@post("/v2/admin/accounts/{account_id:str}/shares", tags=TAGS)
async def grant_shares(
    data: JSONBody[NewShares],
    account_id: FromPath[AccountId],
    call: GivenCall,
    door: GivenDoor,
) -> Response[Funded]:
    """Put shares on an account."""
    instrument = await door.listed(data.symbol)
    command = GrantShares(
        door.meta(call, "shares", account_id, data),
        account_id,
        instrument.symbol,
        quantity(data.qty, "qty"),
        price(data.price, "price"),
        data.reference or door.new_id(),
    )
    answer = await door.execute(command)
    return answered(Funded(account_id, answer.position), answer, status=201)


class Cancellation(msgspec.Struct, forbid_unknown_fields=True):
    """Why an order is canceled."""

    reason: ReasonText


@delete("/v2/admin/orders/{order_id:str}", tags=TAGS, status_code=204)
async def cancel_for_owner(
    order_id: FromPath[OrderId],
    call: GivenCall,
    door: GivenDoor,
    data: JSONBody[Cancellation | None] = None,
    reason: Annotated[str | None, QueryParameter(min_length=1, max_length=500)] = None,
) -> Response[None]:
    """Cancel anybody's open order, for a reason that its owner can read: in the query,
    or as `{"reason": …}` in the body."""
    note = reason or (data and data.reason)
    if note is None:
        raise BadParameter("reason is required", "reason")
    if not note.isprintable():
        raise BadParameter("reason must be one line of printable text", "reason")
    meta = door.meta(call, "cancel-for-owner", order_id, note)
    try:
        return done(await door.execute(CancelForOwner(meta, order_id, note)))
    except NotHeld as unknown:
        raise await not_held(door, unknown, order_id, None) from None


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    role: Role


class Roles(msgspec.Struct):
    user_id: UserId
    roles: list[Role]
    log_position: LogPosition


@post("/v2/admin/users/{user_id:str}/roles", tags=TAGS, status_code=200)
async def grant_role(
    data: JSONBody[NewRole],
    user_id: FromPath[UserId],
    call: GivenCall,
    door: GivenDoor,
) -> Response[Roles]:
    """Give a user a role. It is in the tokens of the next login."""
    # Before the command: this writer may have lost the lease when it is durable.
    before = await door.port.user(user_id)
    if before is None:
        raise NotFound("user", user_id)
    meta = door.meta(call, "role", user_id, data)
    answer = await door.execute(GrantRole(meta, user_id, data.role))
    now = before if answer.repeated else before.after(answer.facts)
    return answered(Roles(user_id, list(now.roles), answer.position), answer)

"""Administration: list and halt instruments, fund and limit accounts, grant roles."""

from datetime import tzinfo
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from api.http.numbers import Number
from api.http.request_context import Call, CallDependency
from api.http.request_errors import BadParameter
from api.wire.amounts import money, price, quantity
from api.wire.asset import Asset, asset_of
from api.write.answers import empty_response, response_of
from api.write.door import DoorDependency, WriteDoor
from api.write.listings import AssetChanges, NewAsset
from api.write.placed import not_held
from commands.answers import Answer, NotHeld
from commands.command_port import MarketState
from commands.messages import (
    CancelForOwner,
    CapOpenOrders,
    ChangeListing,
    ChangeMemoryWindow,
    ConfirmClock,
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
from domain.market.trading_day import session_date
from domain.memory_window import (
    AGE_MAX_HIGHEST,
    AGE_MAX_LOWEST,
    COUNT_MAX_HIGHEST,
    OWN_MAX_HIGHEST,
    SECOND,
    MemoryWindow,
)
from domain.vocabulary import Role

TAGS = ["admin"]

ReferenceText = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
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


class NewDeposit(msgspec.Struct, forbid_unknown_fields=True):
    """Cash for an account. An account receives a deposit with the same `reference`
    only once. Without an `Idempotency-Key`, `reference` is required."""

    amount: Number
    reference: ReferenceText | None = None


class NewShares(msgspec.Struct, forbid_unknown_fields=True):
    """Shares for an account, at a cost of `price` each. An account receives shares with
    the same `reference` only once. Without an `Idempotency-Key`, `reference` is
    required."""

    symbol: Symbol
    qty: Number
    price: Number
    reference: ReferenceText | None = None


class Funded(msgspec.Struct):
    """The cash or shares are on the account from this log position on."""

    account_id: AccountId
    log_position: LogPosition


def _reference(named: str | None, call: Call, door: WriteDoor) -> str:
    """Return the reference of a deposit or a grant; a keyed command may do without.

    Raises:
        BadParameter: the command has neither, so a repeat would credit twice.
    """
    if named is None and call.key is None:
        raise BadParameter(
            "reference or the header Idempotency-Key is required: sent again, the "
            "request must not credit the account twice",
            "reference",
        )
    return named or door.new_id()


@post("/v2/admin/accounts/{account_id:str}/deposits", tags=TAGS)
async def deposit(
    data: JSONBody[NewDeposit],
    account_id: FromPath[AccountId],
    call: CallDependency,
    door: DoorDependency,
) -> Response[Funded]:
    """Deposit cash into an account."""
    meta = door.meta(call, "deposit", account_id, data)
    reference = _reference(data.reference, call, door)
    amount = money(data.amount, "amount")
    answer = await door.execute(Deposit(meta, account_id, amount, reference))
    return response_of(Funded(account_id, answer.position), answer, status=201)


@post("/v2/admin/accounts/{account_id:str}/shares", tags=TAGS)
async def grant_shares(
    data: JSONBody[NewShares],
    account_id: FromPath[AccountId],
    call: CallDependency,
    door: DoorDependency,
) -> Response[Funded]:
    """Grant shares to an account."""
    instrument = await door.require_instrument(data.symbol)
    command = GrantShares(
        door.meta(call, "shares", account_id, data),
        account_id,
        instrument.symbol,
        quantity(data.qty, "qty"),
        price(data.price, "price"),
        _reference(data.reference, call, door),
    )
    answer = await door.execute(command)
    return response_of(Funded(account_id, answer.position), answer, status=201)


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """What an account may do at most. An account begins with 2,000 open orders."""

    max_open_orders: int


class AccountLimits(msgspec.Struct):
    """The limits of the account from this log position on."""

    account_id: AccountId
    max_open_orders: int
    log_position: LogPosition


@put("/v2/admin/accounts/{account_id:str}/limits", tags=TAGS)
async def set_limits(
    data: JSONBody[Limits],
    account_id: FromPath[AccountId],
    call: CallDependency,
    door: DoorDependency,
) -> Response[AccountLimits]:
    """Set how many open orders an account may have. Orders that are open stay, even if
    they are more."""
    meta = door.meta(call, "limits", account_id, data)
    most = data.max_open_orders
    answer = await door.execute(CapOpenOrders(meta, account_id, most))
    limits = AccountLimits(account_id, most, answer.position)
    return response_of(limits, answer)


class Cancellation(msgspec.Struct, forbid_unknown_fields=True):
    """The reason for a cancellation."""

    reason: ReasonText


@delete("/v2/admin/orders/{order_id:str}", tags=TAGS, status_code=204)
async def cancel_for_owner(
    order_id: FromPath[OrderId],
    call: CallDependency,
    door: DoorDependency,
    data: JSONBody[Cancellation | None] = None,
    reason: Annotated[str | None, QueryParameter(min_length=1, max_length=500)] = None,
) -> Response[None]:
    """Cancel any user's open order. Give a reason, which the owner can read, in the
    query or in the body."""
    note = reason or (data and data.reason)
    if note is None:
        raise BadParameter("reason is required", "reason")
    if not note.isprintable():
        raise BadParameter("reason must be one line of printable text", "reason")
    meta = door.meta(call, "cancel-for-owner", order_id, note)
    try:
        return empty_response(await door.execute(CancelForOwner(meta, order_id, note)))
    except NotHeld as unknown:
        raise await not_held(door, unknown, order_id, None) from None


class Window(msgspec.Struct):
    """How long the venue remembers a finished order or a key: the newest
    `count_max`, if they are at most `age_seconds_max` old. Of each account, the newest
    `own_max` are forgotten by age only."""

    count_max: int
    age_seconds_max: int
    own_max: int


class WindowChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New limits. A limit that is null or missing stays as it is."""

    count_max: Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX_HIGHEST)] | None = None
    age_seconds_max: (
        Annotated[
            int,
            msgspec.Meta(ge=AGE_MAX_LOWEST // SECOND, le=AGE_MAX_HIGHEST // SECOND),
        ]
        | None
    ) = None
    own_max: Annotated[int, msgspec.Meta(ge=0, le=OWN_MAX_HIGHEST)] | None = None


def _window(limits: MemoryWindow) -> Window:
    return Window(limits.count_max, limits.age_max // SECOND, limits.own_max)


@get("/v2/admin/memory-window", tags=TAGS)
async def get_memory_window(door: DoorDependency) -> Window:
    """Return how long the venue remembers finished orders and keys.

    While it remembers an order, the account cannot use its `client_order_id` again.
    While it remembers an `Idempotency-Key`, a request sent again under it gets its
    first answer. Open orders and keys that moved money are never forgotten."""
    return _window(await door.port.memory_window())


@patch("/v2/admin/memory-window", tags=TAGS)
async def change_memory_window(
    data: JSONBody[WindowChanges], call: CallDependency, door: DoorDependency
) -> Response[Window]:
    """Change how long the venue remembers finished orders and keys."""
    meta = door.meta(call, "memory-window", data)
    # Read first: once the command is durable, this writer may have lost the lease.
    before = await door.port.memory_window()
    age = data.age_seconds_max
    age_max = None if age is None else age * SECOND
    command = ChangeMemoryWindow(meta, data.count_max, age_max, data.own_max)
    answer = await door.execute(command)
    window = before if answer.repeated else before.after(answer.facts)
    return response_of(_window(window), answer)


class ClockConfirmation(msgspec.Struct, forbid_unknown_fields=True):
    """The step to confirm, as `clock` in `/health/ready` shows it. It may have grown or
    shrunk by a minute since."""

    ahead_seconds: Annotated[int, msgspec.Meta(ge=-(10**10), le=10**10)]


class ConfirmedClock(msgspec.Struct):
    """The venue follows the system's clock from this log position on."""

    ahead_seconds: int
    log_position: LogPosition


@post("/v2/admin/clock/confirmations", tags=TAGS, status_code=200)
async def confirm_clock(
    data: JSONBody[ClockConfirmation], call: CallDependency, door: DoorDependency
) -> Response[ConfirmedClock]:
    """Confirm that this server's system clock is right after a step. The venue follows
    it, and days that are over by it roll."""
    shown = data.ahead_seconds * 1_000_000
    meta = door.meta(call, "confirm-clock", data)
    answer = await door.execute(ConfirmClock(meta, shown, door.clock.step()))
    if not answer.repeated:
        door.clock.confirm(shown)
    confirmed = ConfirmedClock(data.ahead_seconds, answer.position)
    return response_of(confirmed, answer)


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """A role to grant."""

    role: Role


class Roles(msgspec.Struct):
    """All roles of a user."""

    user_id: UserId
    roles: list[Role]
    log_position: LogPosition


@post("/v2/admin/users/{user_id:str}/roles", tags=TAGS, status_code=200)
async def grant_role(
    data: JSONBody[NewRole],
    user_id: FromPath[UserId],
    call: CallDependency,
    door: DoorDependency,
) -> Response[Roles]:
    """Grant a role to a user. The role is part of the tokens of later logins."""
    # Read first: once the command is durable, this writer may have lost the lease.
    before = await door.port.user(user_id)
    if before is None:
        raise NotFound("user", user_id)
    meta = door.meta(call, "role", user_id, data)
    answer = await door.execute(GrantRole(meta, user_id, data.role))
    now = before if answer.repeated else before.after(answer.facts)
    return response_of(Roles(user_id, list(now.roles), answer.position), answer)

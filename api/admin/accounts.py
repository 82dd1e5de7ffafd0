"""Accounts and users: fund and limit accounts, cancel for an owner, grant roles."""

from typing import Annotated

import msgspec
from litestar import Response, delete, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from api.http.numbers import Number
from api.http.request_context import Call, CallDependency
from api.http.request_errors import BadParameter
from api.wire.amounts import money, price, quantity
from api.write.answers import empty_response, response_of
from api.write.door import DoorDependency, WriteDoor
from api.write.placed import not_held
from commands.answers import NotHeld
from commands.messages import (
    CancelForOwner,
    CapOpenOrders,
    Deposit,
    GrantRole,
    GrantShares,
)
from domain.errors import NotFound
from domain.ids import AccountId, LogPosition, OrderId, Symbol, UserId
from domain.vocabulary import Role

TAGS = ["admin"]

ReferenceText = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


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

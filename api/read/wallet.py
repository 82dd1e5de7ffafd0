"""The wallet: what is in it, and every movement that made it so."""

from typing import Annotated, Literal
from uuid import NAMESPACE_OID, uuid5

import msgspec
from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from api.http.request_errors import BadParameter
from api.read.door import GivenCaller, GivenReading
from api.read.times import GivenPeriod
from api.wire.symbols import Symbols, listed_symbols
from api.wire.text import instant, optional
from domain.errors import NotFound
from domain.ids import AccountId, LogPosition
from domain.money import text
from projections import balances, statements
from projections.statements import Movement, MovementType

TAGS = ["wallet"]


class WalletState(msgspec.Struct):
    """Cash. ledger = held + available."""

    account_id: AccountId
    currency: str
    ledger: str
    held: str
    available: str
    log_position: LogPosition


@get("/v2/wallet", tags=TAGS)
async def get_wallet(
    caller: GivenCaller, reading: GivenReading
) -> Response[WalletState]:
    """The caller's cash: all of it, what is held for orders, and the rest."""
    balance = await balances.balance(reading, caller.account_id)
    if balance is None:
        raise NotFound("account", caller.account_id)
    return reading.answer(
        WalletState(
            balance.account_id,
            "USD",
            text(balance.ledger),
            text(balance.held),
            text(balance.available),
            balance.log_position,
        )
    )


class Transaction(msgspec.Struct, kw_only=True):
    """One movement. `amount` is signed and has the fee in it; `balance` is the ledger
    after it; `cause` is the id of what caused it: the account's own order as it came
    in, else the trade, or the command that put something on the account."""

    type: MovementType
    amount: str
    balance: str
    cause: str
    log_position: LogPosition
    time: str
    fee: str
    symbol: str | None
    qty: str | None
    price: str | None
    order_id: str | None
    trade_id: int | None
    reference: str | None


def _types(given: str | None) -> list[MovementType]:
    words = [each.strip() for each in (given or "").split(",") if each.strip()]
    try:
        return [MovementType(word) for word in words]
    except ValueError:
        known = ", ".join(MovementType)
        raise BadParameter(f"type must be one of {known}", "type") from None


def _cause(movement: Movement) -> str:
    """What caused a movement, as an id that tells of nobody but the account itself.

    The command behind a trade is one of the two sides': it is shown to the side whose
    order it placed, and everybody else gets an id that is made of the trade. A command
    that was sent with an `Idempotency-Key` has its sender and the key in its id.
    """
    if movement.cause == movement.order_id:
        return movement.cause
    if movement.trade_id is not None:
        return str(uuid5(NAMESPACE_OID, f"{movement.symbol}/{movement.trade_id}"))
    if "#" in movement.cause:
        return str(uuid5(NAMESPACE_OID, movement.cause))
    return movement.cause


def _transaction(movement: Movement) -> Transaction:
    return Transaction(
        type=movement.type,
        amount=text(movement.amount),
        balance=text(movement.balance),
        cause=_cause(movement),
        log_position=movement.log_position,
        time=instant(movement.at),
        fee=text(movement.fee),
        symbol=movement.symbol,
        qty=str(movement.quantity) if movement.quantity else None,
        price=optional(movement.price),
        order_id=movement.order_id,
        trade_id=movement.trade_id,
        reference=movement.reference,
    )


@get("/v2/wallet/transactions", tags=TAGS)
async def list_transactions(
    caller: GivenCaller,
    period: GivenPeriod,
    kind: Annotated[
        str | None,
        QueryParameter(name="type", description="Types, with commas between them."),
    ] = None,
    symbols: Symbols = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1_000)] = 100,
    direction: FromQuery[Literal["asc", "desc"]] = "desc",
    page_token: Annotated[
        int | None,
        QueryParameter(
            ge=0,
            le=2**53,
            description="The log position of the last transaction seen: the page after "
            "it, in the same direction.",
        ),
    ] = None,
) -> Response[list[Transaction]]:
    """Every movement of the caller's cash and shares."""
    newest_first = direction == "desc"
    movements = await statements.movements(
        period.reading,
        caller.account_id,
        types=_types(kind),
        symbols=listed_symbols(symbols),
        after=period.after,
        until=period.until,
        after_position=None if newest_first else page_token,
        until_position=page_token if newest_first else None,
        newest_first=newest_first,
        limit=limit,
    )
    return period.reading.answer([_transaction(each) for each in movements])

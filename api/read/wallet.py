"""Queries of a wallet: its balances and its movements."""

from typing import Annotated, Literal
from uuid import NAMESPACE_OID, uuid5

import msgspec
from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from api.http.request_errors import BadParameter
from api.read.door import CallerDependency, ReadingDependency
from api.read.times import PeriodDependency
from api.wire.symbols import Symbols, symbols_in
from api.wire.text import instant, optional
from domain.errors import NotFound
from domain.ids import AccountId, LogPosition, OrderId, Symbol, TradeId
from domain.money import text
from projections.accounts import balances, statements
from projections.accounts.statements import Movement, MovementType

TAGS = ["wallet"]


class WalletState(msgspec.Struct):
    """The cash of an account: `ledger` = `held` + `available`."""

    account_id: AccountId
    currency: str
    ledger: str
    held: str
    available: str
    log_position: LogPosition


@get("/v2/wallet", tags=TAGS)
async def get_wallet(
    caller: CallerDependency, reading: ReadingDependency
) -> Response[WalletState]:
    """Return the caller's cash: the ledger balance, the held part and the available
    part."""
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
    """One movement of cash or shares. `amount` is signed and includes the fee. The
    ledger balance after the movement is `balance`. `cause` is the id of the account's
    own incoming order, or else of the trade, or of the command that funded the
    account."""

    type: MovementType
    amount: str
    balance: str
    cause: str
    log_position: LogPosition
    time: str
    fee: str
    symbol: Symbol | None
    qty: str | None
    price: str | None
    order_id: OrderId | None
    trade_id: TradeId | None
    reference: str | None


def _types(text: str | None) -> list[MovementType]:
    words = [each.strip() for each in (text or "").split(",") if each.strip()]
    try:
        return [MovementType(word) for word in words]
    except ValueError:
        known = ", ".join(MovementType)
        raise BadParameter(f"type must be one of {known}", "type") from None


def _cause(movement: Movement) -> str:
    """Return the id of a movement's cause. It reveals nothing about other accounts.

    The command behind a trade belongs to one of the two sides. The side that placed the
    order sees its id; the other side sees an id derived from the trade. An old command
    id with a `#` contains its sender and key, so the account sees a derived id.
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
    caller: CallerDependency,
    period: PeriodDependency,
    kind: Annotated[
        str | None,
        QueryParameter(name="type", description="Types, separated by commas."),
    ] = None,
    symbols: Symbols = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1_000)] = 100,
    direction: FromQuery[Literal["asc", "desc"]] = "desc",
    page_token: Annotated[
        LogPosition | None,
        QueryParameter(
            ge=0,
            le=2**53,
            description="`Bourse-Next-Page` of a page, or the log position of its last "
            "transaction. The response is the next page in the same direction.",
        ),
    ] = None,
) -> Response[list[Transaction]]:
    """List the movements of the caller's cash and shares. One request examines at most
    5,000 movements. If that was not all, the response has the header
    `Bourse-Next-Page`, even if the filter left it empty."""
    newest_first = direction == "desc"
    page = await statements.movements(
        period.reading,
        caller.account_id,
        types=_types(kind),
        symbols=symbols_in(symbols),
        after=period.after,
        until=period.until,
        after_position=None if newest_first else page_token,
        until_position=page_token if newest_first else None,
        newest_first=newest_first,
        limit=limit,
    )
    return period.reading.answer(
        [_transaction(each) for each in page.lines], next_page=page.last
    )

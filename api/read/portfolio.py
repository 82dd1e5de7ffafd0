"""Queries of an account: its cash, its shares and their value at published prices."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from api.read.door import CallerDependency, ReadingDependency
from api.read.holdings import Holding, holdings
from api.wire.configurations import Configurations
from api.wire.text import average, instant, optional, ratio
from domain.errors import NotFound
from domain.ids import AccountId, AssetId, Symbol
from domain.money import NO_MONEY, Money, text
from domain.vocabulary import PriceBasis
from projections.accounts import balances
from projections.accounts.balances import Balance


class Account(msgspec.Struct, kw_only=True):
    """An account in the shape of Alpaca's API. Bourse has no margin: `buying_power` is
    the cash that no order holds."""

    id: AccountId
    account_number: str
    status: str = "ACTIVE"
    crypto_status: str | None = None
    currency: str = "USD"
    cash: str
    buying_power: str
    regt_buying_power: str
    non_marginable_buying_power: str
    daytrading_buying_power: str = "0"
    options_buying_power: str = "0"
    equity: str
    last_equity: str | None = None
    portfolio_value: str
    long_market_value: str
    short_market_value: str = "0"
    position_market_value: str
    initial_margin: str = "0"
    maintenance_margin: str = "0"
    last_maintenance_margin: str = "0"
    multiplier: str = "1"
    sma: str = "0"
    accrued_fees: str = "0"
    pending_transfer_in: str = "0"
    pending_transfer_out: str = "0"
    pattern_day_trader: bool = False
    trading_blocked: bool = False
    transfers_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool
    shorting_enabled: bool = False
    daytrade_count: int = 0
    options_approved_level: int = 0
    options_trading_level: int = 0
    created_at: str


@get("/v2/account", tags=["account"])
async def get_account(
    caller: CallerDependency, reading: ReadingDependency
) -> Response[Account]:
    """Return the caller's account. `cash` is the ledger balance, `buying_power` the
    available balance."""
    balance, held = await holdings(reading, caller.account_id)
    if balance is None:
        raise NotFound("account", caller.account_id)
    value = sum((each.price.price * each.position.quantity for each in held), NO_MONEY)
    return reading.answer(_account(balance, value))


def _account(balance: Balance, value: Money) -> Account:
    available = text(balance.available)
    equity = text(balance.ledger + value)
    return Account(
        id=balance.account_id,
        # Alpaca's clients require a short number for people.
        account_number=balance.account_id.replace("-", "")[-10:].upper(),
        cash=text(balance.ledger),
        buying_power=available,
        regt_buying_power=available,
        non_marginable_buying_power=available,
        equity=equity,
        portfolio_value=equity,
        long_market_value=text(value),
        position_market_value=text(value),
        trade_suspended_by_user=balance.suspend_trade,
        created_at=instant(balance.created_at),
    )


@get("/v2/account/configurations", tags=["account"])
async def get_configurations(
    caller: CallerDependency, reading: ReadingDependency
) -> Response[Configurations]:
    """Return the account's settings."""
    balance = await balances.balance(reading, caller.account_id)
    if balance is None:
        raise NotFound("account", caller.account_id)
    return reading.answer(
        Configurations(
            suspend_trade=balance.suspend_trade,
            self_trade_prevention=balance.self_trade_prevention,
        )
    )


class PositionHeld(msgspec.Struct, kw_only=True):
    """Shares of one instrument. `current_price` is the published price of a share, and
    `price_basis` says what that price is derived from."""

    asset_id: AssetId
    symbol: Symbol
    exchange: str
    asset_class: str = "us_equity"
    asset_marginable: bool = False
    side: str = "long"
    qty: str
    qty_available: str
    avg_entry_price: str
    cost_basis: str
    current_price: str
    price_basis: PriceBasis
    market_value: str
    unrealized_pl: str
    unrealized_plpc: str
    unrealized_intraday_pl: str | None = None
    unrealized_intraday_plpc: str | None = None
    lastday_price: str | None
    change_today: str | None
    realized_pl: str


@get("/v2/positions", tags=["positions"])
async def list_positions(
    caller: CallerDependency, reading: ReadingDependency
) -> Response[list[PositionHeld]]:
    """List the caller's positions by symbol."""
    _, held = await holdings(reading, caller.account_id)
    return reading.answer([_position(each) for each in held])


@get("/v2/positions/{symbol:str}", tags=["positions"])
async def get_position(
    symbol: FromPath[Symbol], caller: CallerDependency, reading: ReadingDependency
) -> Response[PositionHeld]:
    """Return the caller's position in an instrument, by its symbol or its asset id."""
    _, held = await holdings(reading, caller.account_id)
    for each in held:
        if symbol in (each.position.symbol, each.instrument.listing.asset_id):
            return reading.answer(_position(each))
    raise NotFound("position", symbol)


def _position(holding: Holding) -> PositionHeld:
    held, price = holding.position, holding.price
    listing = holding.instrument.listing
    value = price.price * held.quantity
    gained = value - held.cost_basis
    last = price.previous_close
    return PositionHeld(
        asset_id=listing.asset_id,
        symbol=held.symbol,
        exchange=listing.exchange,
        qty=str(held.quantity),
        qty_available=str(held.available),
        avg_entry_price=average(held.cost_basis, held.quantity),
        cost_basis=text(held.cost_basis),
        current_price=text(price.price),
        price_basis=price.basis,
        market_value=text(value),
        unrealized_pl=text(gained),
        unrealized_plpc=ratio(gained, held.cost_basis) if held.cost_basis else "0",
        lastday_price=optional(last),
        change_today=ratio(price.price - last, last) if last else None,
        realized_pl=text(held.realized),
    )

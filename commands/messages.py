"""Every command that Bourse takes: an intent, frozen, with its own id, time and actor.

A command may be refused; what it brings about are the facts that name its id as their
cause. Amounts and times are as in `domain/events/`.
"""

from decimal import Decimal

import msgspec

from domain.events.event import Meta
from domain.ids import AccountId, OrderId, Symbol, UserId
from domain.listing import Listing
from domain.market.order import Replacement, Ticket
from domain.money import Money, Price, Quantity
from domain.vocabulary import Role, SelfTradePrevention


class Command(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An intent. `meta.key`, if there is one, makes it once for its actor."""

    meta: Meta


class PlaceOrder(Command, frozen=True):
    """Buy or sell. The ticket's client order id makes it once."""

    ticket: Ticket


class PlaceOrders(Command, frozen=True):
    """Place a batch of orders, each with its number in the batch. Each is accepted or
    refused alone; its own meta makes it once."""

    orders: tuple[tuple[int, PlaceOrder], ...]


class ClosePosition(Command, frozen=True):
    """Sell a position at the market: all of it, a quantity, or a percentage of it."""

    account_id: AccountId
    symbol: Symbol
    order_id: OrderId
    quantity: Quantity | None = None
    percentage: Decimal | None = None


class CloseAllPositions(Command, frozen=True):
    """Sell every position of the account at the market."""

    account_id: AccountId
    cancel_orders: bool = False


class ReplaceOrder(Command, frozen=True):
    """Change a resting order of one's own."""

    account_id: AccountId
    order_id: OrderId
    replacement: Replacement


class CancelOrder(Command, frozen=True):
    """End an open order of one's own."""

    account_id: AccountId
    order_id: OrderId


class CancelAllOrders(Command, frozen=True):
    """End every open order of the account; of some instruments, where named."""

    account_id: AccountId
    symbols: tuple[Symbol, ...] = ()


class CancelForOwner(Command, frozen=True):
    """End anybody's open order, as an administrator, with a reason."""

    order_id: OrderId
    note: str


class ListAsset(Command, frozen=True):
    """Admit an instrument to trading."""

    listing: Listing
    session_date: str


class ListingChanges(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms of a listing that can be edited; None leaves one as it is.

    A price band of 0 takes the band away.
    """

    name: str | None = None
    exchange: str | None = None
    tick_size: Price | None = None
    lot_size: Quantity | None = None
    reference_price: Price | None = None
    price_band: int | None = None
    collar: int | None = None
    maker_fee: int | None = None
    taker_fee: int | None = None
    description: str | None = None
    sector: str | None = None
    logo_url: str | None = None
    shares_outstanding: int | None = None


class ChangeListing(Command, frozen=True):
    """Edit an instrument's terms."""

    symbol: Symbol
    changes: ListingChanges


class HaltMarket(Command, frozen=True):
    """Stop trading in an instrument."""

    symbol: Symbol
    reason: str


class ResumeMarket(Command, frozen=True):
    """Restart trading in an instrument."""

    symbol: Symbol


class RollDay(Command, frozen=True):
    """End a market's session: expire its day orders, keep the close, begin the next."""

    symbol: Symbol
    session_date: str


class Deposit(Command, frozen=True):
    """Cash comes in. The reference makes it once for the account."""

    account_id: AccountId
    amount: Money
    reference: str


class GrantShares(Command, frozen=True):
    """Shares come in at a cost. The reference makes it once for the account."""

    account_id: AccountId
    symbol: Symbol
    quantity: Quantity
    price: Price
    reference: str


class SetPreferences(Command, frozen=True):
    """Set an account's defaults for its orders; None leaves one as it is."""

    account_id: AccountId
    self_trade_prevention: SelfTradePrevention | None = None
    suspend_trade: bool | None = None


class Register(Command, frozen=True):
    """Sign up. Personal data comes sealed, the password hashed."""

    user_id: UserId
    account_id: AccountId
    claim: str
    email_sealed: str
    full_name_sealed: str
    password_hash: str


class GrantRole(Command, frozen=True):
    """Give a user a role."""

    user_id: UserId
    role: Role


class UseKey(Command, frozen=True):
    """Begin a request that is carried out in parts; its `Idempotency-Key` makes it
    once, and what its parts are."""

    parts: tuple[str, ...] = ()


class NoteLoginFailed(Command, frozen=True):
    """Keep a failed login on record."""

    claim: str


class NoteAccessRefused(Command, frozen=True):
    """Keep on record that a role did not allow what was asked."""

    route: str


COMMANDS: tuple[type[Command], ...] = (
    PlaceOrder,
    PlaceOrders,
    ClosePosition,
    CloseAllPositions,
    ReplaceOrder,
    CancelOrder,
    CancelAllOrders,
    CancelForOwner,
    ListAsset,
    ChangeListing,
    HaltMarket,
    ResumeMarket,
    RollDay,
    Deposit,
    GrantShares,
    SetPreferences,
    Register,
    GrantRole,
    UseKey,
    NoteLoginFailed,
    NoteAccessRefused,
)

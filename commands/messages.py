"""All commands: frozen intents, each with an id, a time and an actor.

A command is refused, or it records facts that name its id as their cause. Amounts and
times are as in `domain/events/`.
"""

from decimal import Decimal

import msgspec

from domain.events.event import Meta, Timestamp
from domain.ids import AccountId, OrderId, Symbol, UserId
from domain.listing import Listing
from domain.market.order import Replacement, Ticket
from domain.money import Money, Price, Quantity
from domain.vocabulary import Role, SelfTradePrevention


class Command(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An intent. With a `meta.key` the writer carries it out once for its actor."""

    meta: Meta


class PlaceOrder(Command, frozen=True):
    """Buy or sell. The writer accepts the ticket's client order id once."""

    ticket: Ticket


class PlaceOrders(Command, frozen=True):
    """Place a batch of orders, each with its number in the batch. The writer accepts or
    refuses each of them alone; each has a key if the batch has one."""

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
    """Change a resting order of the account."""

    account_id: AccountId
    order_id: OrderId
    replacement: Replacement


class CancelOrder(Command, frozen=True):
    """Cancel an open order of the account."""

    account_id: AccountId
    order_id: OrderId


class CancelAllOrders(Command, frozen=True):
    """Cancel all open orders of the account, or only those of the named instruments."""

    account_id: AccountId
    symbols: tuple[Symbol, ...] = ()


class ContinueCancelAll(Command, frozen=True):
    """Cancel a slice of the orders that the account's cancel-all in progress covers;
    the last slice completes it."""

    account_id: AccountId
    order_ids: tuple[OrderId, ...]
    last: bool


class CancelForOwner(Command, frozen=True):
    """Cancel any account's open order, as an administrator, with a reason."""

    order_id: OrderId
    note: str


class ListAsset(Command, frozen=True):
    """Admit an instrument to trading."""

    listing: Listing
    session_date: str


class ListingChanges(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms of a listing that can change; None leaves a term as it is.

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
    """Change an instrument's terms. `force` overrides the conditions of a change."""

    symbol: Symbol
    changes: ListingChanges
    force: bool = False


class HaltMarket(Command, frozen=True):
    """Stop trading in an instrument."""

    symbol: Symbol
    reason: str


class ResumeMarket(Command, frozen=True):
    """Restart trading in an instrument."""

    symbol: Symbol


class RollDay(Command, frozen=True):
    """End a market's session: expire its day orders, keep the close, begin the next.

    A market with many resting orders does so in slices, or if `in_slices` any market.
    """

    symbol: Symbol
    session_date: str
    in_slices: bool = False


class ContinueDayRoll(Command, frozen=True):
    """Expire a slice of the day orders of a market whose day roll is in progress; the
    last slice begins the next session."""

    symbol: Symbol
    order_ids: tuple[OrderId, ...]
    last: bool


class ConfirmClock(Command, frozen=True):
    """Confirm the system's clock after a step, so that days roll by it.

    `shown` is the step that the administrator saw, `step` the one that the clock shows
    now; each in microseconds that the clock is ahead of the venue's time.
    """

    shown: int
    step: int | None


class Deposit(Command, frozen=True):
    """Put cash on an account. The account accepts the reference once."""

    account_id: AccountId
    amount: Money
    reference: str


class GrantShares(Command, frozen=True):
    """Put shares on an account at a cost. The account accepts the reference once."""

    account_id: AccountId
    symbol: Symbol
    quantity: Quantity
    price: Price
    reference: str


class SetPreferences(Command, frozen=True):
    """Set an account's settings for its orders; None leaves a setting as it is."""

    account_id: AccountId
    self_trade_prevention: SelfTradePrevention | None = None
    suspend_trade: bool | None = None


class CapOpenOrders(Command, frozen=True):
    """Set how many open orders an account may have."""

    account_id: AccountId
    max_open_orders: int


class Register(Command, frozen=True):
    """Register a user. Personal data is sealed, the password is hashed."""

    user_id: UserId
    account_id: AccountId
    claim: str
    email_sealed: str
    full_name_sealed: str
    password_hash: str


class GrantRole(Command, frozen=True):
    """Grant a role to a user."""

    user_id: UserId
    role: Role


class UseKey(Command, frozen=True):
    """Record the `Idempotency-Key` of a command that expands to parts. A repeat of the
    command has the same parts."""

    parts: tuple[str, ...] = ()


class ChangeMemoryWindow(Command, frozen=True):
    """Change how long the writer remembers finished orders and keys.

    `age_max` is in microseconds. None leaves a limit as it is.
    """

    count_max: int | None = None
    age_max: Timestamp | None = None
    own_max: int | None = None


class NoteLoginFailed(Command, frozen=True):
    """Record a failed login."""

    claim: str


class NoteAccessRefused(Command, frozen=True):
    """Record that the roles of a user did not allow a request."""

    route: str


class NoteOperationForced(Command, frozen=True):
    """Record that an operator overrode a failed condition outside the writer."""

    operation: str
    condition: str
    subject: str


COMMANDS: tuple[type[Command], ...] = (
    PlaceOrder,
    PlaceOrders,
    ClosePosition,
    CloseAllPositions,
    ReplaceOrder,
    CancelOrder,
    CancelAllOrders,
    ContinueCancelAll,
    CancelForOwner,
    ListAsset,
    ChangeListing,
    HaltMarket,
    ResumeMarket,
    RollDay,
    ConfirmClock,
    ContinueDayRoll,
    Deposit,
    GrantShares,
    SetPreferences,
    CapOpenOrders,
    Register,
    GrantRole,
    UseKey,
    ChangeMemoryWindow,
    NoteLoginFailed,
    NoteAccessRefused,
    NoteOperationForced,
)

"""Every fact that Bourse records, grouped by the stream it stands in.

The tag of an event is its name everywhere: the topic in Postgres, the `type` in JSON.
Tags and fields are contracts with the log; golden files pin their stored form.
Money and prices are in 1/10,000 of a dollar, quantities in whole shares, times in
microseconds since 1970-01-01 UTC.
"""

from typing import TypeAlias, get_args

import msgspec

from domain.ids import (
    AccountId,
    ClientOrderId,
    CommandId,
    LogPosition,
    OrderId,
    Stream,
    Symbol,
    TradeId,
    UserId,
)
from domain.listing import Listing
from domain.money import Money, Price, Quantity
from domain.vocabulary import (
    CancelReason,
    OrderType,
    RejectReason,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WalletKind,
)

Timestamp: TypeAlias = int


class Meta(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """When, by whom and by which command a fact came to be.

    `command_id` is the direct cause. `correlation` names the whole story (the request
    that set it off); it is stored only where it differs from the cause.
    """

    at: Timestamp
    actor: UserId
    command_id: CommandId
    correlation: str | None = None

    @property
    def correlation_id(self) -> str:
        return self.correlation or self.command_id


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """A fact: past tense, immutable."""

    meta: Meta


# --- market-<SYMBOL> -----------------------------------------------------------------


class Listed(Event, frozen=True, tag="market.listed"):
    """An instrument was admitted to trading; its first session began."""

    listing: Listing
    session_date: str


class ListingChanged(Event, frozen=True, tag="market.listing-changed"):
    """The terms of an instrument were edited; `listing` is all of them as now."""

    listing: Listing


class Halted(Event, frozen=True, tag="market.halted"):
    """Trading was stopped by decision. Resting orders stay and may be canceled."""

    reason: str


class Resumed(Event, frozen=True, tag="market.resumed"):
    """Trading was restarted."""


class DayRolled(Event, frozen=True, tag="market.day-rolled"):
    """A session ended and the next began. `previous_close` is the ended one's last
    trade, or what stood before where nothing traded."""

    session_date: str
    previous_close: Price | None


class OrderAccepted(Event, frozen=True, tag="market.order-accepted"):
    """An order entered the market.

    The trades it causes follow at once; `resting` is the quantity that goes into the
    book after them (0 for an order that never rests). `limit_price` is None for a
    market order; `worst_price` is the price it may trade at in the worst case, where
    bounded.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price | None
    worst_price: Price | None
    resting: Quantity
    self_trade_prevention: SelfTradePrevention


class OrderRejected(Event, frozen=True, tag="market.order-rejected"):
    """The market said no. `bound` is the price limit that was broken, where one was."""

    order_id: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price | None
    reason: RejectReason
    bound: Price | None
    self_trade_prevention: SelfTradePrevention


class TradeExecuted(Event, frozen=True, tag="market.trade-executed"):
    """A maker and a taker met, at the maker's price. Leaves are as after it."""

    trade_id: TradeId
    price: Price
    quantity: Quantity
    taker_side: Side
    maker_order_id: OrderId
    maker_account_id: AccountId
    maker_leaves: Quantity
    maker_fee: Money
    taker_order_id: OrderId
    taker_account_id: AccountId
    taker_leaves: Quantity
    taker_fee: Money


class OrderCanceled(Event, frozen=True, tag="market.order-canceled"):
    """An order ended by request or by its terms.

    `quantity` is what was left of it. `resting_price` is the level it left, None where
    it was never in the book. `note` is the administrator's reason.
    """

    order_id: OrderId
    account_id: AccountId
    side: Side
    quantity: Quantity
    resting_price: Price | None
    reason: CancelReason
    note: str = ""


class OrderExpired(Event, frozen=True, tag="market.order-expired"):
    """A day order reached the end of its session and left the book."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    quantity: Quantity
    resting_price: Price


class OrderReplaced(Event, frozen=True, tag="market.order-replaced"):
    """A resting order gave way to a new one with other terms.

    `quantity` is the new total, `filled` and `filled_notional` are carried over from
    the old order, which had `removed` shares in the book at `removed_price`. Trades
    that the new terms cause follow; `resting` is what is in the book after them. Where
    `keeps_priority` the new order stands in the old one's place in the queue.
    """

    order_id: OrderId
    replaced_by: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price
    filled: Quantity
    filled_notional: Money
    removed: Quantity
    removed_price: Price
    resting: Quantity
    keeps_priority: bool
    self_trade_prevention: SelfTradePrevention


# --- wallet-<uuid> -------------------------------------------------------------------


class WalletOpened(Event, frozen=True, tag="wallet.opened"):
    """An account began, with nothing in it."""

    user_id: UserId
    kind: WalletKind


class PreferencesChanged(Event, frozen=True, tag="wallet.preferences-changed"):
    """The account's defaults for its orders were set."""

    self_trade_prevention: SelfTradePrevention
    suspend_trade: bool


class FundsDeposited(Event, frozen=True, tag="wallet.funds-deposited"):
    """Cash came into the system."""

    amount: Money
    reference: str


class SharesGranted(Event, frozen=True, tag="wallet.shares-granted"):
    """Shares came into the system, at a cost of `price` each."""

    symbol: Symbol
    quantity: Quantity
    price: Price
    reference: str


class FundsHeld(Event, frozen=True, tag="wallet.funds-held"):
    """Available cash was set aside to back an order, `per_share` for each share."""

    order_id: OrderId
    amount: Money
    per_share: Money


class FundsReleased(Event, frozen=True, tag="wallet.funds-released"):
    """Cash set aside for an order became available again."""

    order_id: OrderId
    amount: Money


class SharesReserved(Event, frozen=True, tag="wallet.shares-reserved"):
    """Available shares were set aside to back a sell order."""

    order_id: OrderId
    symbol: Symbol
    quantity: Quantity


class SharesReleased(Event, frozen=True, tag="wallet.shares-released"):
    """Shares set aside for an order became available again."""

    order_id: OrderId
    symbol: Symbol
    quantity: Quantity


class TradeSettled(Event, frozen=True, tag="wallet.trade-settled"):
    """This account's leg of a trade: cash one way, shares the other, at once (T+0).

    A buyer pays price x quantity + fee out of `held`, the part of the hold that the
    fill frees; what is not spent of it is available again. A seller gets price x
    quantity - fee. `cost` is the cost basis that the position gains (buy) or gives up
    (sell).
    """

    order_id: OrderId
    trade_id: TradeId
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    fee: Money
    held: Money
    cost: Money


class FeeCollected(Event, frozen=True, tag="wallet.fee-collected"):
    """The house took the fees of both sides of a trade."""

    symbol: Symbol
    trade_id: TradeId
    amount: Money


# --- user-<uuid>, email-<hmac>, security-log, keys-log -------------------------------


class UserRegistered(Event, frozen=True, tag="user.registered"):
    """A person signed up. E-mail and name are sealed under that person's own key."""

    account_id: AccountId
    claim: str
    email_sealed: str
    full_name_sealed: str
    password_hash: str


class RoleGranted(Event, frozen=True, tag="user.role-granted"):
    """The venue gave a user a role."""

    role: Role


class EmailClaimed(Event, frozen=True, tag="email.claimed"):
    """An e-mail address was taken; the stream's name is its keyed hash."""

    user_id: UserId


class LoginFailed(Event, frozen=True, tag="security.login-failed"):
    """Somebody gave a wrong password or an unknown address. Bounded in rate."""

    claim: str


class AccessRefused(Event, frozen=True, tag="security.access-refused"):
    """A signed-in user asked for what the role does not allow. Bounded in rate."""

    route: str


class KeyUsed(Event, frozen=True, tag="keys.used"):
    """A command with an `Idempotency-Key` was carried out that no other fact tells of:
    it changed nothing, or it is carried out in these `parts`, each with a key of its
    own."""

    parts: tuple[str, ...] = ()


MarketEvent: TypeAlias = (
    Listed
    | ListingChanged
    | Halted
    | Resumed
    | DayRolled
    | OrderAccepted
    | OrderRejected
    | TradeExecuted
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
)
WalletEvent: TypeAlias = (
    WalletOpened
    | PreferencesChanged
    | FundsDeposited
    | SharesGranted
    | FundsHeld
    | FundsReleased
    | SharesReserved
    | SharesReleased
    | TradeSettled
    | FeeCollected
)
UserEvent: TypeAlias = UserRegistered | RoleGranted | EmailClaimed
SecurityEvent: TypeAlias = LoginFailed | AccessRefused
AnyEvent: TypeAlias = MarketEvent | WalletEvent | UserEvent | SecurityEvent | KeyUsed

EVENTS: tuple[type[Event], ...] = get_args(AnyEvent)


class Recorded(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An event and its place in its stream."""

    stream: Stream
    version: int
    event: AnyEvent


class Fact(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A recorded event as it stands in the log."""

    position: LogPosition
    stream: Stream
    version: int
    event: AnyEvent


def tag_of(event_type: type[Event]) -> str:
    """The stable name of an event type, such as `wallet.funds-held`."""
    return str(event_type.__struct_config__.tag)

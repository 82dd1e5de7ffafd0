"""Facts of the streams `wallet-<account id>`: cash, shares, holds and reserves."""

from typing import TypeAlias

from domain.events.event import Event
from domain.ids import HoldId, OrderId, Symbol, TradeId, UserId
from domain.money import Money, Price, Quantity
from domain.vocabulary import HoldPurpose, SelfTradePrevention, Side, WalletKind


class WalletOpened(Event, frozen=True, tag="wallet.opened"):
    """The venue opened an empty account."""

    user_id: UserId
    kind: WalletKind


class PreferencesChanged(Event, frozen=True, tag="wallet.preferences-changed"):
    """The owner changed the account's defaults for orders."""

    self_trade_prevention: SelfTradePrevention
    suspend_trade: bool


class OpenOrderCapSet(Event, frozen=True, tag="wallet.open-order-cap-set"):
    """An administrator set how many open orders the account may have."""

    max_open_orders: int


class CancelAllAccepted(Event, frozen=True, tag="wallet.cancel-all-accepted"):
    """The venue accepted to cancel all orders that are open, in more than one slice.

    If there are `symbols`, only their orders are canceled.
    """

    symbols: tuple[Symbol, ...] = ()


class CancelAllCompleted(Event, frozen=True, tag="wallet.cancel-all-completed"):
    """None of the orders that the account's cancel-all covered is open any more."""


class FundsDeposited(Event, frozen=True, tag="wallet.funds-deposited"):
    """Cash entered the system."""

    amount: Money
    reference: str


class SharesGranted(Event, frozen=True, tag="wallet.shares-granted"):
    """Shares entered the system at a cost of `price` each."""

    symbol: Symbol
    quantity: Quantity
    price: Price
    reference: str


#: Stored facts say `order_id`: at first, only orders had holds.
_HOLD_ID = {"hold_id": "order_id"}


class FundsHeld(
    Event,
    frozen=True,
    omit_defaults=True,
    rename=_HOLD_ID,
    tag="wallet.funds-held",
):
    """The wallet set available cash aside, for an order `per_share` for each share."""

    hold_id: HoldId
    amount: Money
    per_share: Price
    purpose: HoldPurpose = HoldPurpose.ORDER


class FundsReleased(Event, frozen=True, rename=_HOLD_ID, tag="wallet.funds-released"):
    """The rest of a hold became available again."""

    hold_id: HoldId
    amount: Money


class SharesReserved(Event, frozen=True, tag="wallet.shares-reserved"):
    """The wallet set available shares aside to back a sell order."""

    order_id: OrderId
    symbol: Symbol
    quantity: Quantity


class SharesReleased(Event, frozen=True, tag="wallet.shares-released"):
    """The reserve of an order became available again."""

    order_id: OrderId
    symbol: Symbol
    quantity: Quantity


class TradeSettled(Event, frozen=True, kw_only=True, tag="wallet.trade-settled"):
    """A trade moved cash and shares of this account, at once (T+0).

    A buyer pays price x quantity + fee from `held`, the part of the hold that the fill
    frees; the rest of `held` becomes available again. A seller receives price x
    quantity - fee. `cost` is the cost basis that the position gains (buy) or loses
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
    """The house wallet received the fees of both sides of a trade."""

    symbol: Symbol
    trade_id: TradeId
    amount: Money


WalletEvent: TypeAlias = (
    WalletOpened
    | PreferencesChanged
    | OpenOrderCapSet
    | CancelAllAccepted
    | CancelAllCompleted
    | FundsDeposited
    | SharesGranted
    | FundsHeld
    | FundsReleased
    | SharesReserved
    | SharesReleased
    | TradeSettled
    | FeeCollected
)

"""Facts of the streams `wallet-<account id>`: cash, shares and what backs orders."""

from typing import TypeAlias

from domain.events.event import Event
from domain.ids import HoldId, OrderId, Symbol, TradeId, UserId
from domain.money import Money, Price, Quantity
from domain.vocabulary import HoldPurpose, SelfTradePrevention, Side, WalletKind


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


#: The stored name is older than holds that back no order.
_HOLD_ID = {"hold_id": "order_id"}


class FundsHeld(
    Event,
    frozen=True,
    omit_defaults=True,
    rename=_HOLD_ID,
    tag="wallet.funds-held",
):
    """Available cash was set aside. An order's hold is `per_share` for each share."""

    hold_id: HoldId
    amount: Money
    per_share: Money
    purpose: HoldPurpose = HoldPurpose.ORDER


class FundsReleased(Event, frozen=True, rename=_HOLD_ID, tag="wallet.funds-released"):
    """What was left of a hold became available again."""

    hold_id: HoldId
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


class TradeSettled(Event, frozen=True, kw_only=True, tag="wallet.trade-settled"):
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

"""Facts of the streams `market-<SYMBOL>`: an instrument and its orders."""

from typing import TypeAlias

from domain.events.event import Event
from domain.ids import AccountId, ClientOrderId, OrderId, TradeId
from domain.listing import Listing
from domain.money import Money, Price, Quantity
from domain.vocabulary import (
    CancelReason,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


class Listed(Event, frozen=True, tag="market.listed"):
    """The venue admitted an instrument to trading; its first session began."""

    listing: Listing
    session_date: str


class ListingChanged(Event, frozen=True, tag="market.listing-changed"):
    """The venue edited an instrument's terms; `listing` is all terms after the edit."""

    listing: Listing


class Halted(Event, frozen=True, tag="market.halted"):
    """An administrator halted trading. Resting orders stay; clients may cancel them."""

    reason: str


class Resumed(Event, frozen=True, tag="market.resumed"):
    """An administrator resumed trading."""


class DayRollBegan(Event, frozen=True, tag="market.day-roll-began"):
    """A session with many resting orders ends, in more than one slice.

    The market takes no orders until `market.day-rolled`.
    """

    session_date: str


class DayRolled(Event, frozen=True, tag="market.day-rolled"):
    """A session ended and the next began.

    `previous_close` is the last trade price, None until the first trade.
    """

    session_date: str
    previous_close: Price | None


class OrderAccepted(Event, frozen=True, kw_only=True, tag="market.order-accepted"):
    """An order entered the market.

    Its trades follow at once. `resting` is the quantity that enters the book after
    them, 0 for an order that never rests. `limit_price` is None for a market order.
    `worst_price` is the worst price that the order may trade at, None if unbounded.
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


class OrderRejected(Event, frozen=True, kw_only=True, tag="market.order-rejected"):
    """The market rejected an order. `bound` is the price limit it broke, if any."""

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


class TradeExecuted(Event, frozen=True, kw_only=True, tag="market.trade-executed"):
    """A maker and a taker traded at the maker's price. Leaves are those after it."""

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


class OrderCanceled(Event, frozen=True, kw_only=True, tag="market.order-canceled"):
    """An order ended by request or by its terms.

    `quantity` is the open quantity that it lost. `resting_price` is the level that it
    left, None if it was never in the book. `note` is the administrator's reason.
    """

    order_id: OrderId
    account_id: AccountId
    side: Side
    quantity: Quantity
    resting_price: Price | None
    reason: CancelReason
    note: str = ""


class OrderExpired(Event, frozen=True, kw_only=True, tag="market.order-expired"):
    """A day order reached the end of its session and left the book."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    quantity: Quantity
    resting_price: Price


class OrderReplaced(Event, frozen=True, kw_only=True, tag="market.order-replaced"):
    """A new order with other terms replaced a resting order.

    `quantity` is the new total. The new order keeps `filled` and `filled_notional` of
    the old one, which had `removed` shares in the book at `removed_price`. Trades under
    the new terms follow; `resting` is the quantity in the book after them. If
    `keeps_priority`, the new order takes the old order's place in the queue.
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


MarketEvent: TypeAlias = (
    Listed
    | ListingChanged
    | Halted
    | Resumed
    | DayRollBegan
    | DayRolled
    | OrderAccepted
    | OrderRejected
    | TradeExecuted
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
)

"""Facts of the streams `market-<SYMBOL>`: an instrument and the orders in it."""

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


class OrderAccepted(Event, frozen=True, kw_only=True, tag="market.order-accepted"):
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


class OrderRejected(Event, frozen=True, kw_only=True, tag="market.order-rejected"):
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


class TradeExecuted(Event, frozen=True, kw_only=True, tag="market.trade-executed"):
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


class OrderCanceled(Event, frozen=True, kw_only=True, tag="market.order-canceled"):
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


class OrderExpired(Event, frozen=True, kw_only=True, tag="market.order-expired"):
    """A day order reached the end of its session and left the book."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    quantity: Quantity
    resting_price: Price


class OrderReplaced(Event, frozen=True, kw_only=True, tag="market.order-replaced"):
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

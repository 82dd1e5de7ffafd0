"""Orders: their terms, their open quantity, and the transitions of their status."""

import msgspec

from domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from domain.money import NO_MONEY, Money, Price, Quantity
from domain.vocabulary import (
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

#: The statuses that may follow each status (rule ORDER-08). None follows a final one.
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.NEW: frozenset(
        {
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REPLACED,
        }
    ),
    OrderStatus.PARTIALLY_FILLED: frozenset(
        {
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REPLACED,
        }
    ),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
    OrderStatus.REPLACED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
}

OPEN_STATUSES = frozenset(status for status, after in TRANSITIONS.items() if after)

#: Orders with these times may rest in the book; others fill at once or end.
RESTING_TIMES = frozenset({TimeInForce.DAY, TimeInForce.GTC})


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """The terms of an order as its owner sent them. A market order has no limit."""

    order_id: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    symbol: Symbol
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price | None
    self_trade_prevention: SelfTradePrevention | None = None

    @property
    def may_rest(self) -> bool:
        """Return whether the order may come to rest in the book."""
        return self.limit_price is not None and self.time_in_force in RESTING_TIMES


class Replacement(msgspec.Struct, frozen=True, gc=False):
    """The new terms of a resting order; None keeps a term."""

    order_id: OrderId
    client_order_id: ClientOrderId
    quantity: Quantity | None = None
    limit_price: Price | None = None
    time_in_force: TimeInForce | None = None


class Order(msgspec.Struct, gc=False):
    """An order in the market. `leaves` is the quantity still open.

    quantity = filled + leaves while the order is open.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    symbol: Symbol
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price | None
    self_trade_prevention: SelfTradePrevention
    leaves: Quantity
    #: Basis points that it pays as a maker, fixed when it is accepted (FEE-04).
    maker_fee: int
    filled_notional: Money = NO_MONEY

    @property
    def filled(self) -> Quantity:
        """Return the filled quantity; valid only while the order is open."""
        return self.quantity - self.leaves

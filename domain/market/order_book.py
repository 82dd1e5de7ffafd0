"""All resting orders of one instrument, and the effect of each order fact on them.

Between commands the book is never crossed. Effects only assign: the market checks a
fact before it records the fact.
"""

from collections.abc import Iterator

from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import AccountId, OrderId, Symbol
from domain.market.matching import Plan, match, offered
from domain.market.order import Order
from domain.market.price_levels import BookSide
from domain.money import NO_SHARES, Price, Quantity
from domain.vocabulary import BUY, SELL, SelfTradePrevention, Side


class OrderBook:
    """Bids, asks, and the open orders by id, incoming orders included."""

    __slots__ = ("asks", "bids", "orders", "symbol")

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)
        self.orders: dict[OrderId, Order] = {}

    def side(self, side: Side) -> BookSide:
        """Return the side on which an order of `side` rests."""
        return self.bids if side is BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        """Return the side that an order of `side` trades with."""
        return self.asks if side is BUY else self.bids

    def resting(self, side: Side) -> Iterator[Order]:
        """Return the resting orders of a side, best price first, then oldest first."""
        return (order for level in self.side(side) for order in level)

    def assert_uncrossed(self) -> None:
        """Assert what holds after every command (rule MATCH-12)."""
        bids, asks = self.bids.keys, self.asks.keys
        # The key of an ask is its price, negative.
        assert not bids or not asks or bids[-1] + asks[-1] < 0

    def plan(
        self,
        side: Side,
        *,
        quantity: Quantity,
        worst: Price | None,
        account_id: AccountId,
        prevention: SelfTradePrevention,
        whole: bool = False,
    ) -> Plan:
        """Return the plan of an incoming order; the book does not change.

        An order that must fill `whole` has an empty plan unless it fills completely
        (rules MATCH-11, STP-06).
        """
        opposite = self.asks if side is BUY else self.bids
        keys = opposite.keys
        nothing = Plan([], quantity)
        if not keys or (worst is not None and keys[-1] < opposite.sign * worst):
            return nothing
        # Otherwise a client could force long walks with orders that never fill.
        if whole and not offered(opposite, quantity, worst=worst):
            return nothing
        plan = match(
            opposite,
            quantity=quantity,
            worst=worst,
            account_id=account_id,
            prevention=prevention,
        )
        return nothing if whole and plan.remaining else plan

    def accepted(self, event: OrderAccepted, maker_fee: int) -> None:
        order = Order(
            order_id=event.order_id,
            client_order_id=event.client_order_id,
            account_id=event.account_id,
            symbol=self.symbol,
            side=event.side,
            order_type=event.order_type,
            time_in_force=event.time_in_force,
            quantity=event.quantity,
            limit_price=event.limit_price,
            self_trade_prevention=event.self_trade_prevention,
            leaves=event.quantity,
            maker_fee=maker_fee,
        )
        self.enter(order, event.resting)

    def enter(self, order: Order, resting: Quantity) -> None:
        """Add an order and queue `resting` shares of it.

        Its trades follow; they reduce its leaves, not its level.
        """
        self.orders[order.order_id] = order
        if resting:
            price = order.limit_price
            assert price is not None
            side = self.bids if order.side is BUY else self.asks
            side.add(order, price, resting)

    def traded(self, event: TradeExecuted) -> None:
        """Reduce maker, taker and level; remove the orders that are filled."""
        price = event.price
        value = price * event.quantity
        assert event.maker_leaves >= 0 <= event.taker_leaves
        orders = self.orders
        maker = orders[event.maker_order_id]
        maker.leaves = event.maker_leaves
        maker.filled_notional += value
        makers = self.asks if event.taker_side is BUY else self.bids
        makers.reduce(price, event.quantity, done=not event.maker_leaves)
        if not event.maker_leaves:
            del orders[event.maker_order_id]
        taker = orders[event.taker_order_id]
        taker.leaves = event.taker_leaves
        taker.filled_notional += value
        if not event.taker_leaves:
            del orders[event.taker_order_id]

    def left(self, event: OrderCanceled | OrderExpired) -> None:
        """Remove an order that was canceled or expired."""
        self._leave(event.order_id, event.resting_price)

    def _leave(self, order_id: OrderId, resting_price: Price | None) -> None:
        order = self.orders.pop(order_id)
        quantity, order.leaves = order.leaves, NO_SHARES
        if resting_price is not None:
            self.side(order.side).reduce(resting_price, quantity, done=True)

    def replaced(self, event: OrderReplaced, *, maker_fee: int) -> None:
        """Swap an order for its replacement, in place if it keeps its priority."""
        if event.keeps_priority:
            self._shrink(event, maker_fee)
            return
        self._leave(event.order_id, event.removed_price)
        order = Order(
            order_id=event.replaced_by,
            client_order_id=event.client_order_id,
            account_id=event.account_id,
            symbol=self.symbol,
            side=event.side,
            order_type=event.order_type,
            time_in_force=event.time_in_force,
            quantity=event.quantity,
            limit_price=event.limit_price,
            self_trade_prevention=event.self_trade_prevention,
            leaves=event.quantity - event.filled,
            maker_fee=maker_fee,
            filled_notional=event.filled_notional,
        )
        self.enter(order, event.resting)

    def _shrink(self, event: OrderReplaced, maker_fee: int) -> None:
        """Change an order in place, so that it keeps its position in the queue."""
        order = self.orders.pop(event.order_id)
        side = self.side(order.side)
        side.reduce(event.limit_price, event.removed - event.resting, done=False)
        order.order_id = event.replaced_by
        order.client_order_id = event.client_order_id
        order.time_in_force = event.time_in_force
        order.quantity = event.quantity
        order.leaves = event.resting
        order.maker_fee = maker_fee
        self.orders[event.replaced_by] = order

"""One instrument's market: its orders, from acceptance to their end.

Prices are in 1/10,000 of a dollar. Decisions check and record. A decision that accepts,
replaces or ends an order returns the facts that it recorded. The order book applies the
facts.
"""

from collections.abc import Iterator
from typing import ClassVar

from domain.aggregate import Frozen, Outbox
from domain.errors import InvalidListing
from domain.events.event import Event, Meta, Timestamp
from domain.events.market import (
    ListingChanged,
    MarketEvent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.ids import NO_TRADE, Symbol, TradeId
from domain.listing import Listing
from domain.market import order_facts
from domain.market.matching import Plan
from domain.market.order import Order, Replacement, Ticket
from domain.market.order_book import OrderBook
from domain.market.order_facts import Objection
from domain.market.session import DayRoll, Session
from domain.money import NO_SHARES, Price, Quantity
from domain.vocabulary import (
    BUY,
    DAY,
    FOK,
    GTC,
    CancelReason,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

#: A new tick or lot size is checked against this many resting orders, in about 3 ms.
CHECKED_MAX = 20_000


class FrozenMarket(Frozen, tag="market"):
    """A frozen market. Resting orders are in queue order, best price first."""

    listing: Listing
    listed_at: Timestamp
    halt_reason: str | None
    session_date: str
    last_price: Price | None
    previous_close: Price | None
    trades: TradeId
    bids: list[Order]
    asks: list[Order]
    roll: DayRoll | None = None


class Market(Session):
    """A session with its order book. `trades` is the number of the newest trade."""

    __slots__ = ("book", "trades")

    def __init__(self, symbol: Symbol, outbox: Outbox) -> None:
        super().__init__(symbol, outbox)
        self.trades = NO_TRADE
        self.book = OrderBook(symbol)

    def change_listing(self, listing: Listing, *, meta: Meta) -> None:
        """Edit the terms.

        Raises:
            InvalidListing: the terms contradict each other, or resting orders do not
                fit the new tick or lot, or they are too many to look at.
        """
        listing.check()
        if (
            self.listing.tick_size % listing.tick_size
            or self.listing.lot_size % listing.lot_size
        ):
            self._check_orders_fit(listing)
        self.record(ListingChanged(meta, listing))

    def _check_orders_fit(self, listing: Listing) -> None:
        if len(self.book.orders) > CHECKED_MAX:
            raise InvalidListing(
                f"more than {CHECKED_MAX:,} orders rest, too many to check against the "
                "new tick or lot size; halt the market and let their owners cancel"
            )
        for order in self.book.orders.values():
            if order.limit_price is not None and order.limit_price % listing.tick_size:
                raise InvalidListing("resting orders are not on the new tick size")
            if order.leaves % listing.lot_size or order.quantity % listing.lot_size:
                raise InvalidListing("resting orders are not in the new lot size")

    # --- an order comes in ---

    def worst_price(self, ticket: Ticket) -> Price | None:
        """Return the worst price a ticket may trade at; None if it is unbounded.

        It is the ticket's limit, the collar for a market buy, or the lower bound of the
        band for a market sell (rules MATCH-08 and -09).
        """
        if ticket.limit_price is not None:
            return ticket.limit_price
        if ticket.side is BUY:
            best_ask = self.book.asks.best
            return None if best_ask is None else self.listing.collared(best_ask)
        band = self.listing.band()
        return None if band is None else band[0]

    def reject(
        self,
        ticket: Ticket,
        objection: Objection,
        *,
        prevention: SelfTradePrevention,
        meta: Meta,
    ) -> None:
        """Record that the market rejected a ticket."""
        self.record(order_facts.rejected(ticket, objection, prevention, meta=meta))

    def place(
        self,
        ticket: Ticket,
        worst: Price | None,
        prevention: SelfTradePrevention,
        meta: Meta,
    ) -> list[MarketEvent]:
        """Accept a checked ticket: match it, then rest or cancel the remainder."""
        plan = self.book.plan(
            ticket.side,
            quantity=ticket.quantity,
            worst=worst,
            account_id=ticket.account_id,
            prevention=prevention,
            whole=ticket.time_in_force is FOK,
        )
        remaining = plan.remaining
        rests = (
            ticket.limit_price is not None
            # A look-up in a set hashes the enum member in Python code, which is slow.
            and (ticket.time_in_force is GTC or ticket.time_in_force is DAY)
            and plan.ends is None
        )
        accepted = order_facts.accepted(
            ticket,
            worst,
            remaining if rests else NO_SHARES,
            prevention,
            meta,
        )
        facts: list[MarketEvent] = [self.record(accepted)]
        if plan.steps:
            facts += self._carry_out(plan, self.book.orders[ticket.order_id], meta)
            # An order that meets nobody was compared with the best of the other side.
            self.book.assert_uncrossed()
        if remaining and not rests:
            reason = self._why_canceled(ticket, plan, worst)
            order = self.book.orders[ticket.order_id]
            facts.append(self._end(order, reason, meta=meta, resting=False))
        return facts

    def _carry_out(self, plan: Plan, taker: Order, meta: Meta) -> list[MarketEvent]:
        facts: list[MarketEvent] = []
        for maker, quantity in plan.steps:
            if not quantity:
                reason = CancelReason.SELF_TRADE
                facts.append(self._end(maker, reason, meta=meta, resting=True))
                continue
            executed = order_facts.executed(
                maker,
                taker,
                quantity=quantity,
                trade_id=self.trades + 1,
                taker_fee=self.listing.taker_fee,
                meta=meta,
            )
            facts.append(self.record(executed))
        return facts

    def _why_canceled(
        self, ticket: Ticket, plan: Plan, worst: Price | None
    ) -> CancelReason:
        if ticket.time_in_force is TimeInForce.FOK:
            return CancelReason.FILL_OR_KILL
        if plan.ends is not None:
            return plan.ends
        if ticket.order_type is OrderType.LIMIT:
            return CancelReason.IMMEDIATE_OR_CANCEL
        if not self.book.opposite(ticket.side).keys:
            return CancelReason.NO_LIQUIDITY
        band = self.listing.band()
        banded = band is not None and worst in band
        return CancelReason.PRICE_BAND if banded else CancelReason.COLLAR

    # --- an order in the book changes or leaves ---

    def cancel(
        self, order: Order, reason: CancelReason, *, note: str = "", meta: Meta
    ) -> list[MarketEvent]:
        """End a resting order."""
        return [self._end(order, reason, note, meta=meta, resting=True)]

    def _end(
        self,
        order: Order,
        reason: CancelReason,
        note: str = "",
        *,
        meta: Meta,
        resting: bool,
    ) -> OrderCanceled:
        return self.record(
            order_facts.canceled(order, reason, note, resting=resting, meta=meta)
        )

    def day_orders(self) -> Iterator[Order]:
        """Yield the day orders: bids, then asks, each in book order.

        A market from a snapshot yields the same order.
        """
        for side in Side:
            for order in self.book.resting(side):
                if order.time_in_force is TimeInForce.DAY:
                    yield order

    def expire(self, order: Order, *, meta: Meta) -> list[MarketEvent]:
        """End a day order at the end of its session (rule DAY-02)."""
        return [self.record(order_facts.expired(order, meta=meta))]

    def replace(
        self,
        order: Order,
        new: Replacement,
        *,
        quantity: Quantity,
        price: Price,
        meta: Meta,
    ) -> list[MarketEvent]:
        """Replace an order with a checked replacement (rules MATCH-06 and -07)."""
        old_price = order.limit_price
        assert old_price is not None
        keeps = price == old_price and quantity <= order.quantity
        left = quantity - order.filled
        plan = Plan([], left)
        if not keeps:
            plan = self.book.plan(
                order.side,
                quantity=left,
                worst=price,
                account_id=order.account_id,
                prevention=order.self_trade_prevention,
            )
        replaced = OrderReplaced(
            meta=meta,
            order_id=order.order_id,
            replaced_by=new.order_id,
            client_order_id=new.client_order_id,
            account_id=order.account_id,
            side=order.side,
            order_type=order.order_type,
            time_in_force=new.time_in_force or order.time_in_force,
            quantity=quantity,
            limit_price=price,
            filled=order.filled,
            filled_notional=order.filled_notional,
            removed=order.leaves,
            removed_price=old_price,
            resting=plan.remaining if plan.ends is None else NO_SHARES,
            keeps_priority=keeps,
            self_trade_prevention=order.self_trade_prevention,
        )
        facts: list[MarketEvent] = [self.record(replaced)]
        if plan.steps:
            facts += self._carry_out(plan, self.book.orders[new.order_id], meta)
        if plan.ends is not None:
            incoming = self.book.orders[new.order_id]
            facts.append(self._end(incoming, plan.ends, meta=meta, resting=False))
        self.book.assert_uncrossed()
        return facts

    # --- facts take effect ---

    def _accepted(self, event: OrderAccepted) -> None:
        self.book.accepted(event, self.listing.maker_fee)

    def _traded(self, event: TradeExecuted) -> None:
        self.trades = event.trade_id
        self.last_price = event.price
        self.book.traded(event)

    def _left(self, event: OrderCanceled | OrderExpired) -> None:
        self.book.left(event)

    def _replaced(self, event: OrderReplaced) -> None:
        self.book.replaced(event, maker_fee=self.listing.maker_fee)

    def _unchanged(self, _: Event) -> None:
        """Keep the state: a rejection changes nothing in the market."""

    handlers: ClassVar = {
        **Session.handlers,
        OrderAccepted: _accepted,
        OrderRejected: _unchanged,
        TradeExecuted: _traded,
        OrderCanceled: _left,
        OrderExpired: _left,
        OrderReplaced: _replaced,
    }
    frozen_type: ClassVar = FrozenMarket

    def freeze(self) -> FrozenMarket:
        """Return the session and all resting orders in queue order."""
        return FrozenMarket(
            stream=self.stream,
            version=self.version,
            listing=self.listing,
            listed_at=self.listed_at,
            halt_reason=self.halt_reason,
            session_date=self.session_date,
            last_price=self.last_price,
            previous_close=self.previous_close,
            trades=self.trades,
            bids=list(self.book.resting(Side.BUY)),
            asks=list(self.book.resting(Side.SELL)),
            roll=self.roll,
        )

    def thaw(self, frozen: FrozenMarket) -> None:
        """Load the session and enter its orders into the book, in queue order."""
        self.version = frozen.version
        self.listing = frozen.listing
        self.listed_at = frozen.listed_at
        self.halt_reason = frozen.halt_reason
        self.session_date = frozen.session_date
        self.last_price = frozen.last_price
        self.previous_close = frozen.previous_close
        self.trades = frozen.trades
        self.roll = frozen.roll
        for order in (*frozen.bids, *frozen.asks):
            self.book.enter(order, order.leaves)

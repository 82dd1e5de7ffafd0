"""The rules of an instrument's listing and trading session.

A session is one day of trading. `domain/market/market.py` adds the order book.
"""

from typing import ClassVar

import msgspec

from domain.aggregate import Aggregate, Outbox
from domain.errors import (
    InvalidOrder,
    MarketHalted,
    MarketRolling,
    NothingToReplace,
    PriceOutsideBand,
)
from domain.events.event import Meta, Timestamp
from domain.events.market import (
    DayRollBegan,
    DayRolled,
    Halted,
    Listed,
    ListingChanged,
    Resumed,
)
from domain.ids import Symbol, market_stream
from domain.listing import Listing
from domain.market.order import RESTING_TIMES, Order, Replacement, Ticket
from domain.market.order_facts import Objection
from domain.money import Price, Quantity
from domain.vocabulary import LIMIT, RejectReason


class DayRoll(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A day roll in progress, begun with `meta`, to the session of `session_date`."""

    meta: Meta
    session_date: str


class Session(Aggregate):
    """A listing, its trading day, and whether it is halted.

    `halt_reason` is None unless trading is halted. `last_price` is the price of the
    newest trade. `roll` is None unless a day roll is in progress.
    """

    __slots__ = (
        "halt_reason",
        "last_price",
        "listed_at",
        "listing",
        "previous_close",
        "roll",
        "session_date",
    )

    listing: Listing

    def __init__(self, symbol: Symbol, outbox: Outbox) -> None:
        super().__init__(market_stream(symbol), outbox)
        self.listed_at: Timestamp = 0
        self.halt_reason: str | None = None
        self.session_date = ""
        self.last_price: Price | None = None
        self.previous_close: Price | None = None
        self.roll: DayRoll | None = None

    @property
    def halted(self) -> bool:
        """Return whether trading is halted."""
        return self.halt_reason is not None

    # --- the session begins, stops and ends ---

    def admit(self, listing: Listing, *, session_date: str, meta: Meta) -> None:
        """Admit an instrument to trading (rule LIST-01)."""
        listing.check()
        self.record(Listed(meta, listing, session_date))

    def halt(self, reason: str, *, meta: Meta) -> None:
        """Halt trading; do nothing if it is halted."""
        if not self.halted:
            self.record(Halted(meta, reason))

    def resume(self, *, meta: Meta) -> None:
        """Resume trading; do nothing unless it is halted."""
        if self.halted:
            self.record(Resumed(meta))

    def begin_roll(self, session_date: str, *, meta: Meta) -> None:
        """Begin a roll in slices: the market takes no orders (rule DAY-06)."""
        self.record(DayRollBegan(meta, session_date))

    def roll_day(self, session_date: str, *, meta: Meta) -> None:
        """Begin the session of `session_date`, unless it is past (rule DAY-01)."""
        if session_date > self.session_date:
            close = self.previous_close if self.last_price is None else self.last_price
            self.record(DayRolled(meta, session_date, close))

    # --- the session checks orders ---

    def check(self, ticket: Ticket) -> None:
        """Check that terms make sense in this market (rules ORDER-01 to -05).

        Raises:
            MarketRolling: the market is between two sessions.
            InvalidOrder: a term makes no sense; the sentence names it.
        """
        if self.roll is not None:
            raise MarketRolling(symbol=ticket.symbol)
        listing = self.listing
        listing.check_quantity(ticket.quantity)
        if ticket.order_type is LIMIT:
            if ticket.limit_price is None:
                raise InvalidOrder("limit orders need limit_price", field="limit_price")
            listing.check_price(ticket.limit_price, quantity=ticket.quantity)
        elif ticket.limit_price is not None:
            raise InvalidOrder("market orders take no limit_price", field="limit_price")

    def objection(self, ticket: Ticket) -> Objection | None:
        """Return why the market rejects a ticket, or None if it accepts."""
        if self.halt_reason is not None:
            return RejectReason.MARKET_HALTED, None
        if ticket.limit_price is not None and self.listing.price_band is not None:
            bound = self.listing.broken_bound(ticket.limit_price)
            if bound is not None:
                return RejectReason.PRICE_OUTSIDE_BAND, bound
        return None

    def check_replacement(
        self, order: Order, new: Replacement
    ) -> tuple[Quantity, Price]:
        """Return the new total quantity and limit price (rule ORDER-07).

        Raises:
            DomainError: the market refuses the replacement.
        """
        if self.roll is not None:
            raise MarketRolling(symbol=order.symbol)
        if self.halted:
            raise MarketHalted(symbol=self.listing.symbol)
        if new.time_in_force not in (None, *RESTING_TIMES):
            raise InvalidOrder("a resting order can only become day or gtc")
        quantity = order.quantity if new.quantity is None else new.quantity
        price = order.limit_price if new.limit_price is None else new.limit_price
        assert price is not None
        self.listing.check_quantity(quantity)
        self.listing.check_price(price, quantity=quantity)
        band, bound = self.listing.band(), self.listing.broken_bound(price)
        if band is not None and bound is not None:
            raise PriceOutsideBand(price=price, bound=bound, band=band)
        if quantity <= order.filled:
            raise NothingToReplace(
                f"{order.filled} shares are filled already; the new qty must be more",
                filled_qty=str(order.filled),
            )
        return quantity, price

    # --- facts take effect ---

    def _listed(self, event: Listed) -> None:
        self.listing = event.listing
        self.listed_at = event.meta.at
        self.session_date = event.session_date

    def _listing_changed(self, event: ListingChanged) -> None:
        self.listing = event.listing

    def _halted(self, event: Halted) -> None:
        self.halt_reason = event.reason

    def _resumed(self, _: Resumed) -> None:
        self.halt_reason = None

    def _roll_began(self, event: DayRollBegan) -> None:
        self.roll = DayRoll(event.meta, event.session_date)

    def _day_rolled(self, event: DayRolled) -> None:
        self.roll = None
        self.session_date = event.session_date
        self.previous_close = event.previous_close

    handlers: ClassVar = {
        Listed: _listed,
        ListingChanged: _listing_changed,
        Halted: _halted,
        Resumed: _resumed,
        DayRollBegan: _roll_began,
        DayRolled: _day_rolled,
    }

"""A small exchange in memory for tests of rules, in the words of a trader.

The first use of a name opens an account with plenty of cash and shares. Each refusal is
checked to change nothing.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from commands.handlers.dispatch import execute
from commands.messages import (
    CancelOrder,
    ChangeListing,
    Command,
    Deposit,
    GrantShares,
    HaltMarket,
    ListAsset,
    ListingChanges,
    PlaceOrder,
    Register,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
)
from commands.state import frozen
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from domain.accounts.wallet import Wallet
from domain.errors import DomainError
from domain.events.event import Meta
from domain.events.market import OrderAccepted
from domain.events.register import AnyEvent, Fact, Recorded
from domain.listing import Listing
from domain.market.market import Market
from domain.market.order import Replacement, Ticket
from domain.market.order_book import OrderBook
from domain.market.price_levels import BookSide
from domain.money import dollars
from domain.vocabulary import (
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.support.ladder import Ladder, Level, Resting
from tests.support.spec import AT

PLENTY_OF_CASH = "10000000"
PLENTY_OF_SHARES = 1_000_000


class Sent:
    """An order, and the facts that its command recorded."""

    def __init__(self, ticket: Ticket, events: list[AnyEvent]) -> None:
        self.ticket = ticket
        self.order_id = ticket.order_id
        self.events = events

    @property
    def accepted(self) -> OrderAccepted:
        (fact,) = (each for each in self.events if isinstance(each, OrderAccepted))
        return fact


class Venue:
    """An exchange that lists ACME at 10.00, in cents, without a band."""

    def __init__(self, **terms: Any) -> None:
        self.exchange = Exchange()
        #: Compare the whole state before and after a refusal. Slow with many orders.
        self.checks_refusals = True
        self.log: list[Recorded] = []
        self._number = 0
        self.list_asset("ACME", **terms)

    # --- commands in general ---

    def meta(self, actor: str = "tester") -> Meta:
        self._number += 1
        return Meta(AT + self._number, actor, f"command-{self._number}")

    def tell(self, command: Command) -> list[AnyEvent]:
        """Carry out a command and return the facts that it recorded."""
        before = self.state() if self.checks_refusals else None
        try:
            recorded = execute(self.exchange, command)
        except (DomainError, Repeated):
            assert self.exchange.outbox == [], "a refusal records nothing"
            assert before is None or self.state() == before, "a refusal changes nothing"
            raise
        self.log += recorded
        return [each.event for each in recorded]

    def state(self) -> list[bytes]:
        """Return all aggregates and indexes, frozen."""
        return list(frozen.dump(self.exchange))

    @property
    def facts(self) -> list[Fact]:
        """Return the recorded facts in the form of the log."""
        return [
            Fact(position, each.stream, each.version, each.event)
            for position, each in enumerate(self.log, start=1)
        ]

    @contextmanager
    def refuses(self, kind: type[DomainError], **facts: str) -> Generator[None]:
        """Assert that the block raises a refusal with these facts."""
        with pytest.raises(kind) as refusal:
            yield
        assert refusal.value.facts.items() >= facts.items()

    # --- markets ---

    def list_asset(self, symbol: str, **terms: Any) -> list[AnyEvent]:
        return self.tell(ListAsset(self.meta(), listing(symbol, **terms), "2026-01-01"))

    def change(self, **changes: Any) -> list[AnyEvent]:
        return self.tell(ChangeListing(self.meta(), "ACME", ListingChanges(**changes)))

    def halt(self) -> list[AnyEvent]:
        return self.tell(HaltMarket(self.meta(), "ACME", "news"))

    def resume(self) -> list[AnyEvent]:
        return self.tell(ResumeMarket(self.meta(), "ACME"))

    def roll(self, session_date: str) -> list[AnyEvent]:
        return self.tell(RollDay(self.meta(), "ACME", session_date))

    @property
    def market(self) -> Market:
        return self.exchange.market("ACME")

    # --- traders ---

    def trader(self, name: str, *, cash: str = "0", shares: int = 0) -> Wallet:
        """Open an account, whose shares cost 10 each."""
        user_id = f"user-of-{name}"
        sealed = "sealed"
        self.tell(
            Register(self.meta(), user_id, name, user_id, sealed, sealed, "hashed")
        )
        if dollars(cash):
            self.tell(Deposit(self.meta(), name, dollars(cash), "opening"))
        if shares:
            self.tell(
                GrantShares(self.meta(), name, "ACME", shares, dollars(10), "opening")
            )
        return self.wallet(name)

    def wallet(self, name: str) -> Wallet:
        return self.exchange.wallet(name)

    def _present(self, name: str) -> None:
        if name not in self.exchange.wallets:
            self.trader(name, cash=PLENTY_OF_CASH, shares=PLENTY_OF_SHARES)

    # --- orders ---

    def buy(
        self,
        name: str,
        quantity: int,
        *,
        at: str | None = None,
        tif: str | None = None,
        stp: str | None = None,
        client_id: str | None = None,
    ) -> Sent:
        """Send a limit order until canceled, or without a price a market order."""
        return self._send(name, Side.BUY, quantity, at, tif, stp, client_id)

    def sell(
        self,
        name: str,
        quantity: int,
        *,
        at: str | None = None,
        tif: str | None = None,
        stp: str | None = None,
        client_id: str | None = None,
    ) -> Sent:
        return self._send(name, Side.SELL, quantity, at, tif, stp, client_id)

    def _send(
        self,
        name: str,
        side: Side,
        quantity: int,
        at: str | None,
        tif: str | None,
        stp: str | None,
        client_id: str | None,
    ) -> Sent:
        self._present(name)
        order_id = f"{name}-{self._number}"
        ticket = Ticket(
            order_id,
            client_id or order_id,
            name,
            "ACME",
            side,
            OrderType.MARKET if at is None else OrderType.LIMIT,
            TimeInForce(tif or ("day" if at is None else "gtc")),
            quantity,
            None if at is None else dollars(at),
            None if stp is None else SelfTradePrevention(stp),
        )
        return self.place(ticket)

    def place(self, ticket: Ticket) -> Sent:
        meta = self.meta(f"user-of-{ticket.account_id}")
        return Sent(ticket, self.tell(PlaceOrder(meta, ticket)))

    def cancel(self, order: Sent, *, by: str | None = None) -> list[AnyEvent]:
        account_id = by or order.ticket.account_id
        return self.tell(CancelOrder(self.meta(), account_id, order.order_id))

    def replace(
        self,
        order: Sent,
        *,
        quantity: int | None = None,
        at: str | None = None,
        tif: str | None = None,
        client_id: str | None = None,
    ) -> Sent:
        """Change an order, and return its replacement."""
        old = order.ticket
        order_id = f"{old.account_id}-{self._number}"
        replacement = Replacement(
            order_id,
            client_id or order_id,
            quantity,
            None if at is None else dollars(at),
            None if tif is None else TimeInForce(tif),
        )
        command = ReplaceOrder(self.meta(), old.account_id, order.order_id, replacement)
        events = self.tell(command)
        ticket = Ticket(
            order_id,
            replacement.client_order_id,
            old.account_id,
            old.symbol,
            old.side,
            old.order_type,
            replacement.time_in_force or old.time_in_force,
            quantity or old.quantity,
            replacement.limit_price or old.limit_price,
        )
        return Sent(ticket, events)

    def status(self, order: Sent) -> OrderStatus:
        """Return the state of an order."""
        return self.status_of(order.ticket.account_id, order.order_id)

    def status_of(self, account_id: str, order_id: str) -> OrderStatus:
        status = self.exchange.orders.accounts[account_id][order_id].status
        if status is not OrderStatus.NEW:
            return status
        open_order = self.market.book.orders[order_id]
        return OrderStatus.PARTIALLY_FILLED if open_order.filled else OrderStatus.NEW


def ladder_of(book: OrderBook) -> Ladder:
    return Ladder(_levels(book.bids), _levels(book.asks))


def _levels(side: BookSide) -> list[Level]:
    levels: list[Level] = []
    for level in side:
        queue = tuple(Resting(order.leaves, order.account_id) for order in level)
        # The totals of a level must equal those of its queue.
        assert level.quantity == sum(order.quantity for order in queue), level.price
        assert level.count == len(queue), level.price
        levels.append(Level(level.price, queue))
    return levels


def listing(symbol: str = "ACME", **terms: Any) -> Listing:
    """Return the terms of an instrument that trades around 10.00, in cents."""
    given: dict[str, Any] = {
        "symbol": symbol,
        "asset_id": f"asset-{symbol}",
        "name": f"{symbol} Corporation",
        "exchange": "NYSE",
        "lot_size": 1,
        "tick_size": "0.01",
        "reference_price": "10",
        **terms,
    }
    for name in ("tick_size", "reference_price"):
        given[name] = dollars(given[name])
    return Listing(**given)

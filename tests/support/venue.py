"""A small exchange in memory for tests of rules, in the words of a trader.

The first use of a name opens an account with plenty of cash and shares. Each refusal is
checked to change nothing.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks import opening
from benchmarks.opening import Grant, listing
from commands.handlers.dispatch import execute
from commands.messages import (
    CancelOrder,
    ChangeListing,
    Command,
    HaltMarket,
    ListingChanges,
    PlaceOrder,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
)
from commands.state import frozen
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from domain.accounts.wallet import Wallet
from domain.errors import DomainError
from domain.events.event import Meta, Timestamp
from domain.events.market import OrderAccepted
from domain.events.register import AnyEvent, Fact, Recorded
from domain.market.market import Market
from domain.market.order import Replacement, Ticket
from domain.market.order_book import OrderBook
from domain.market.price_levels import BookSide
from domain.money import Money, dollars
from domain.vocabulary import (
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.support.facts import located
from tests.support.ladder import Ladder, Level, Resting
from tests.support.spec import AT


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
    """An exchange on which ACME is listed at 10.00, in cents, without a band.

    `facts` is its log. Between two commands passes one `STEP`, in microseconds.
    """

    STEP = 1
    #: What a trader begins with who is first named by an order.
    CASH = "10000000"
    SHARES = 1_000_000
    SHARE_PRICE = "10"

    def __init__(self, **terms: Any) -> None:
        self.exchange = Exchange()
        #: Compare the whole state before and after a refusal. Slow with many orders.
        self.checks_refusals = True
        self.facts: list[Fact] = []
        self._number = 0
        self._waited = 0
        self.list_asset("ACME", **terms)

    # --- commands in general ---

    def meta(self, actor: str = "tester") -> Meta:
        self._number += 1
        return Meta(self.last_at, actor, f"command-{self._number}")

    @property
    def last_at(self) -> Timestamp:
        """Return the time of the newest command."""
        return AT + self._number * self.STEP + self._waited

    def pass_time(self, microseconds: int) -> None:
        """Let time pass before the next command."""
        self._waited += microseconds

    def tell(self, command: Command) -> list[AnyEvent]:
        """Carry out a command and return the facts that it recorded."""
        before = self.state() if self.checks_refusals else None
        try:
            recorded = execute(self.exchange, command)
        except (DomainError, Repeated):
            assert self.exchange.outbox == [], "a refusal records nothing"
            assert before is None or self.state() == before, "a refusal changes nothing"
            raise
        self.record(recorded)
        return [each.event for each in recorded]

    def record(self, recorded: list[Recorded]) -> None:
        """Add facts to the log."""
        self.facts += located(recorded, first=len(self.facts) + 1)

    def state(self) -> list[bytes]:
        """Return all aggregates and indexes, frozen."""
        return list(frozen.dump(self.exchange))

    @contextmanager
    def refuses(self, kind: type[DomainError], **facts: str) -> Generator[None]:
        """Assert that the block raises a refusal with these facts."""
        with pytest.raises(kind) as refusal:
            yield
        assert refusal.value.facts.items() >= facts.items()

    # --- markets ---

    def list_asset(self, symbol: str, **terms: Any) -> list[AnyEvent]:
        return self.tell(opening.list_instrument(self.meta, listing(symbol, **terms)))

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

    def trader(
        self, name: str, *, cash: str = "0", shares: int = 0, price: str = "10"
    ) -> Wallet:
        """Open an account with cash, and with shares of ACME at a cost."""
        grants = [Grant("ACME", shares, dollars(price))] if shares else []
        self.open(name, dollars(cash), grants)
        return self.wallet(name)

    def open(self, name: str, cash: Money, shares: Iterable[Grant]) -> None:
        """Open an account with cash and shares."""
        for command in opening.open_account(
            self.meta, name, f"user-of-{name}", cash=cash, shares=shares
        ):
            self.tell(command)

    def wallet(self, name: str) -> Wallet:
        return self.exchange.wallet(name)

    def present(self, name: str) -> str:
        """Open an account if there is none, and return its name."""
        if name not in self.exchange.wallets:
            self.trader(
                name, cash=self.CASH, shares=self.SHARES, price=self.SHARE_PRICE
            )
        return name

    # --- orders ---

    def new_id(self, name: str) -> str:
        """Return the id of the next order."""
        return f"{name}-{self._number}"

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
        self.present(name)
        order_id = self.new_id(name)
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
        order_id = self.new_id(old.account_id)
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
        status = self.exchange.orders.accounts[account_id].entries[order_id].status
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

"""A random day on a small exchange, from a seed: real facts by the real write side."""

import random
from collections.abc import Iterator

from commands.handlers.dispatch import execute
from commands.messages import (
    CancelForOwner,
    CancelOrder,
    ChangeListing,
    Command,
    Deposit,
    GrantRole,
    GrantShares,
    HaltMarket,
    ListAsset,
    ListingChanges,
    PlaceOrder,
    Register,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
    SetPreferences,
)
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from domain.errors import DomainError
from domain.events.event import Meta
from domain.events.register import Fact
from domain.ids import AccountId, OrderId, Symbol
from domain.listing import Listing
from domain.market.order import Replacement, Ticket
from domain.money import dollars
from domain.vocabulary import OrderType, Role, SelfTradePrevention, Side, TimeInForce

START = 1_700_000_000_000_000
HALF = 50  # ticks around the middle that prices are drawn from


class Flow:
    """Sends random commands to an exchange in memory and keeps the facts as a log.

    About 70 % are passive orders, 20 % crossing ones, 10 % cancels. If `odd`, there are
    also replacements, halts, day rolls and changes of terms.
    """

    def __init__(
        self,
        seed: int = 7,
        *,
        accounts: int = 8,
        symbols: int = 3,
        odd: bool = True,
        step: int = 40_000,
    ) -> None:
        self.random = random.Random(seed)
        self.exchange = Exchange()
        self.facts: list[Fact] = []
        self.accounts = [self._id("account", n) for n in range(accounts)]
        self.symbols: list[Symbol] = [f"SYM{n}" for n in range(symbols)]
        self.owners: dict[OrderId, AccountId] = {}
        self._order_ids: list[OrderId] = []
        self._at = START
        self._step = step
        self._odd = odd
        self._number = 0
        for command in self._opening():
            self.send(command)

    def _id(self, kind: str, number: int) -> str:
        mark = sum(kind.encode()) % 0x1000
        return f"00000000-0000-7000-8{mark:03x}-{number:012x}"

    def meta(self) -> Meta:
        self._number += 1
        self._at += self.random.randrange(1, self._step)
        return Meta(self._at, "tester", f"command-{self._number}")

    def send(self, command: Command) -> list[Fact]:
        """Carry out a command. A refusal adds nothing to the log."""
        try:
            recorded = execute(self.exchange, command)
        except (DomainError, Repeated):
            return []
        first = len(self.facts) + 1
        new = [
            Fact(position, each.stream, each.version, each.event)
            for position, each in enumerate(recorded, first)
        ]
        self.facts += new
        return new

    def run(self, commands: int) -> list[Fact]:
        """Send that many random commands, and return the whole log so far."""
        for _ in range(commands):
            self.send(self.command())
        return self.facts

    def _opening(self) -> Iterator[Command]:
        for number, symbol in enumerate(self.symbols):
            listing = Listing(
                symbol,
                self._id("asset", number),
                f"Company {number} of Examples",
                "NYSE",
                tick_size=100,
                lot_size=1,
                reference_price=dollars(100),
                price_band=400 if number == 1 else None,
                maker_fee=1 if number else 0,
                taker_fee=3 if number else 0,
            )
            yield ListAsset(self.meta(), listing, "2023-11-14")
        for number, account_id in enumerate(self.accounts):
            user_id = self._id("user", number)
            claim = f"{number:064x}"
            sealed = f"sealed-{number}"
            yield Register(
                self.meta(), user_id, account_id, claim, sealed, sealed, "hash"
            )
            if not number:
                yield GrantRole(self.meta(), user_id, Role.ADMIN)
            yield Deposit(self.meta(), account_id, dollars(10_000_000), "opening")
            for symbol in self.symbols:
                yield GrantShares(
                    self.meta(), account_id, symbol, 100_000, dollars(99), symbol
                )

    def command(self) -> Command:
        chance = self.random.random()
        if self._odd and chance < 0.03:
            return self._odd_command()
        if chance < 0.13 and self._order_ids:
            order_id = self.random.choice(self._order_ids[-300:])
            return CancelOrder(self.meta(), self.owners[order_id], order_id)
        return self._order(crossing=chance > 0.8)

    def _order(self, *, crossing: bool) -> PlaceOrder:
        rng = self.random
        side = rng.choice((Side.BUY, Side.SELL))
        away = -rng.randrange(1, HALF) if not crossing else rng.randrange(1, 5)
        price = dollars(100) + (away if side is Side.BUY else -away) * 100
        kind, times = OrderType.LIMIT, (TimeInForce.GTC, TimeInForce.DAY)
        if crossing and self._odd:
            times = tuple(TimeInForce)
            if rng.random() < 0.3:
                kind, times = OrderType.MARKET, (TimeInForce.DAY, TimeInForce.IOC)
        account_id = rng.choice(self.accounts)
        order_id = self._new_order(account_id)
        ticket = Ticket(
            order_id,
            f"client-{len(self._order_ids)}",
            account_id,
            rng.choice(self.symbols),
            side,
            kind,
            rng.choice(times),
            rng.randrange(1, 200) * (2 if crossing else 1),
            price if kind is OrderType.LIMIT else None,
            rng.choice((None, *SelfTradePrevention)),
        )
        return PlaceOrder(self.meta(), ticket)

    def _new_order(self, account_id: AccountId) -> OrderId:
        order_id = self._id("order", len(self._order_ids))
        self._order_ids.append(order_id)
        self.owners[order_id] = account_id
        return order_id

    def _odd_command(self) -> Command:
        rng, meta = self.random, self.meta()
        symbol, account_id = rng.choice(self.symbols), rng.choice(self.accounts)
        order_id = rng.choice(self._order_ids or ["none"])
        odd = rng.randrange(100)
        if odd < 60 and self._order_ids:
            return self._replacement(meta)
        if odd < 70:
            return CancelForOwner(meta, order_id, "fat finger")
        if odd < 76:
            return HaltMarket(meta, symbol, "news pending")
        if odd < 88:
            return ResumeMarket(meta, symbol)
        if odd < 91:
            return RollDay(meta, symbol, f"2023-11-{15 + rng.randrange(10)}")
        if odd < 94:
            changes = ListingChanges(reference_price=dollars(rng.randrange(98, 102)))
            return ChangeListing(meta, symbol, changes)
        if odd < 97:
            return SetPreferences(meta, account_id, SelfTradePrevention.CANCEL_OLDEST)
        return Deposit(meta, account_id, dollars(rng.randrange(1, 100)), f"d{odd}")

    def _replacement(self, meta: Meta) -> ReplaceOrder:
        rng = self.random
        order_id = rng.choice(self._order_ids[-100:])
        account_id = self.owners[order_id]
        new_id = self._new_order(account_id)
        replacement = Replacement(
            new_id,
            f"client-{len(self._order_ids)}",
            quantity=rng.choice((None, rng.randrange(1, 300))),
            limit_price=rng.choice((None, dollars(100) + rng.randrange(-9, 9) * 100)),
        )
        return ReplaceOrder(meta, account_id, order_id, replacement)

"""The seeded order mix that every benchmark and load test uses.

Around one price it has 70 % passive limit orders, 20 % crossing orders (IOC) and 10 %
cancels; without cancels 78 % and 22 %. The same seed gives the same commands.
"""

import random
from collections.abc import Iterator
from itertools import count

from benchmarks.opening import TICK, Grant, list_instrument, listing, open_account
from commands.handlers.dispatch import execute
from commands.messages import CancelOrder, CapOpenOrders, Command, PlaceOrder
from commands.state.exchange import Exchange
from domain.accounts.wallet import OPEN_ORDERS_MAX
from domain.events.event import Meta
from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce

START = 1_000_000
AT = 1_790_000_000_000_000
#: The share of crossing orders: 2 for every 7 passive ones.
CROSSING = 2 / 9


def uuid_text(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def meta(number: int, actor: str = "bench") -> Meta:
    return Meta(AT + number, actor, uuid_text(9, number))


def opening(symbols: list[str], traders: int) -> Iterator[Command]:
    """List the instruments; give each trader cash, shares, and the highest cap."""
    numbers = count(1)

    def next_meta() -> Meta:
        return meta(next(numbers))

    for symbol in symbols:
        terms = listing(
            symbol,
            asset_id=uuid_text(7, sum(map(ord, symbol))),
            name=symbol,
            exchange="NASDAQ",
            reference_price=START,
        )
        yield list_instrument(next_meta, terms)
    shares = [Grant(each, 10**8, START, f"opening {each}") for each in symbols]
    for trader in range(traders):
        account_id = uuid_text(1, trader)
        user_id = uuid_text(2, trader)
        yield from open_account(
            next_meta, account_id, user_id, cash=10**15, shares=shares
        )
        yield CapOpenOrders(next_meta(), account_id, OPEN_ORDERS_MAX)


class OrderMix:
    """An endless flow of orders over some symbols and traders."""

    def __init__(
        self, symbols: list[str], traders: int, seed: int = 7, *, cancels: bool = True
    ) -> None:
        self.random = random.Random(seed)
        self.cancels = 0.1 if cancels else 0.0
        self.crossing = self.cancels + (1 - self.cancels) * CROSSING
        self.symbols = symbols
        self.accounts = [uuid_text(1, n) for n in range(traders)]
        self.number = 1_000_000
        self.passive: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[Command]:
        while True:
            yield self.next()

    def next(self) -> Command:
        chance = self.random.random()
        self.number += 1
        if chance < self.cancels and self.passive:
            return self._cancel()
        return self._order(crossing=chance < self.crossing)

    def _cancel(self) -> Command:
        place = self.random.randrange(len(self.passive))
        account, order_id = self.passive[place]
        self.passive[place] = self.passive[-1]
        self.passive.pop()
        return CancelOrder(meta(self.number, account), account, order_id)

    def _order(self, *, crossing: bool) -> Command:
        rng = self.random
        symbol = rng.choice(self.symbols)
        account = rng.choice(self.accounts)
        side = Side.BUY if rng.random() < 0.5 else Side.SELL
        away = rng.randint(1, 50) * TICK
        if crossing:
            away = -5 * TICK
        price = START - away if side is Side.BUY else START + away
        order_id = uuid_text(3, self.number)
        if not crossing:
            self.passive.append((account, order_id))
        ticket = Ticket(
            order_id,
            order_id,
            account,
            symbol,
            side,
            OrderType.LIMIT,
            TimeInForce.IOC if crossing else TimeInForce.GTC,
            rng.randint(1, 10) * 10,
            price,
        )
        return PlaceOrder(meta(self.number, account), ticket)


def open_exchange(symbols: list[str], traders: int) -> Exchange:
    """Return an exchange in memory, after the opening commands."""
    exchange = Exchange()
    for command in opening(symbols, traders):
        carry_out(exchange, command)
    return exchange


def carry_out(exchange: Exchange, command: Command) -> int:
    """Decide a command as the writer does; return the number of its facts."""
    facts = execute(exchange, command)
    exchange.take_unlocated()
    return len(facts)

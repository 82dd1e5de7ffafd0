"""How many commands per second does the core carry out, and how many the book alone?

One thread, in memory: `commands.handlers.dispatch.execute` decides each command, with
holds, facts, settlement and indexes. The ceiling is the same flow on the books alone,
without accounts and facts.
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from statistics import median
from time import perf_counter, process_time

import msgspec

from benchmarks.interpreter import as_the_server
from benchmarks.suite import Suite
from benchmarks.table import Row
from benchmarks.workload import OrderMix, carry_out, open_exchange
from commands.messages import CancelOrder, Command, PlaceOrder
from commands.state.exchange import Exchange
from domain.errors import OrderDone
from domain.events.event import Meta
from domain.market.order import Order, Ticket
from domain.market.order_book import OrderBook
from domain.money import NO_PRICE, NO_SHARES
from domain.vocabulary import SelfTradePrevention, TimeInForce
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers

NAME = "matching"
SYMBOLS = [f"SYM{number}" for number in range(10)]
TRADERS = 100
#: The commands of one group commit.
GROUP = 256
STP = SelfTradePrevention.CANCEL_NEWEST


class Pace(msgspec.Struct, frozen=True):
    """Commands per second of the clock and of processor time."""

    wall: float
    processor: float
    rows: int = 0
    refused: int = 0


def measure(suite: Suite) -> list[Row]:
    commands = list(islice(OrderMix(SYMBOLS, TRADERS), suite.scaled(200_000, 30_000)))
    ways = (whole_core, core_with_ids, book_alone)
    paces: list[list[Pace]] = [[] for _ in ways]
    for _ in range(suite.scaled(7, 3)):
        for way, samples in zip(ways, paces, strict=True):
            samples.append(way(commands))
            gc.collect()
    core, with_ids, book = (_median(samples) for samples in paces)
    rows_per_order = core.rows / sum(isinstance(each, PlaceOrder) for each in commands)
    return [
        Row(
            what="matching core: holds, facts, settlement, indexes",
            measured=f"{core.wall:,.0f} commands/s",
            compared_with=f"book alone {book.wall:,.0f}/s",
            ratio=core.wall / book.wall,
            target="200,000/s",
            rows_per_order=rows_per_order,
            notes=f"{core.processor:,.0f}/s by processor time; {core.refused} of "
            f"{len(commands):,} commands refused (the order was done)",
        ),
        Row(
            what="the same, with new ids and commands",
            measured=f"{with_ids.wall:,.0f} commands/s",
            compared_with=f"book alone {book.wall:,.0f}/s",
            ratio=with_ids.wall / book.wall,
            target="200,000/s",
            rows_per_order=rows_per_order,
            notes=f"{with_ids.processor:,.0f}/s by processor time",
        ),
    ]


def _median(paces: Sequence[Pace]) -> Pace:
    return Pace(
        median(each.wall for each in paces),
        median(each.processor for each in paces),
        paces[0].rows,
        paces[0].refused,
    )


def _timed(act: Callable[[], Pace], count: int) -> Pace:
    with as_the_server():
        start, used = perf_counter(), process_time()
        done = act()
        used, took = process_time() - used, perf_counter() - start
    return Pace(count / took, count / used, done.rows, done.refused)


def whole_core(commands: Sequence[Command]) -> Pace:
    """Measure the core with the commands as they are."""
    exchange = open_exchange(SYMBOLS, TRADERS)
    return _timed(lambda: _carry_out(exchange, commands), len(commands))


def core_with_ids(commands: Sequence[Command]) -> Pace:
    """Measure the core with a new command, id and time for each, as the API does."""
    exchange = open_exchange(SYMBOLS, TRADERS)
    copies = _Copies()

    def act() -> Pace:
        rows = refused = 0
        for start in range(0, len(commands), GROUP):
            group = map(copies.copy, commands[start : start + GROUP])
            done = _carry_out(exchange, group)
            rows, refused = rows + done.rows, refused + done.refused
        return Pace(0, 0, rows, refused)

    return _timed(act, len(commands))


class _Copies:
    """Copies commands with new ids and times."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.new_id = Identifiers(self.clock).new
        self.ids: dict[str, str] = {}

    def copy(self, command: Command) -> Command:
        command_id = self.new_id()
        meta = Meta(self.clock.now(), command.meta.actor, command_id)
        if isinstance(command, CancelOrder):
            return CancelOrder(meta, command.account_id, self.ids[command.order_id])
        assert isinstance(command, PlaceOrder)
        old = command.ticket
        self.ids[old.order_id] = command_id
        return PlaceOrder(
            meta,
            Ticket(
                command_id,
                command_id,
                old.account_id,
                old.symbol,
                old.side,
                old.order_type,
                old.time_in_force,
                old.quantity,
                old.limit_price,
            ),
        )


def _carry_out(exchange: Exchange, commands: Iterable[Command]) -> Pace:
    rows = refused = 0
    for command in commands:
        try:
            rows += carry_out(exchange, command)
        except OrderDone:
            refused += 1
    return Pace(0, 0, rows, refused)


def book_alone(commands: Sequence[Command]) -> Pace:
    """Measure the same orders in the books alone, without payments and facts."""
    books = {symbol: OrderBook(symbol) for symbol in SYMBOLS}
    placed: dict[str, OrderBook] = {}

    def act() -> Pace:
        for command in commands:
            if isinstance(command, PlaceOrder):
                _place(books[command.ticket.symbol], command.ticket, placed)
            elif isinstance(command, CancelOrder):
                book = placed[command.order_id]
                order = book.orders.pop(command.order_id, None)
                if order is not None:
                    price, leaves = order.limit_price or NO_PRICE, order.leaves
                    order.leaves = NO_SHARES
                    book.side(order.side).reduce(price, leaves, done=True)
        return Pace(0, 0)

    return _timed(act, len(commands))


def _place(book: OrderBook, ticket: Ticket, placed: dict[str, OrderBook]) -> None:
    quantity, price = ticket.quantity, ticket.limit_price
    plan = book.plan(
        ticket.side,
        quantity=quantity,
        worst=price,
        account_id=ticket.account_id,
        prevention=STP,
    )
    makers = book.opposite(ticket.side)
    for maker, filled in plan.steps:
        maker.leaves -= filled
        makers.reduce(maker.limit_price or 0, filled, done=not maker.leaves)
        if not maker.leaves:
            del book.orders[maker.order_id]
    if ticket.time_in_force is not TimeInForce.GTC:
        return
    placed[ticket.order_id] = book
    if plan.remaining:
        order = Order(
            ticket.order_id,
            ticket.client_order_id,
            ticket.account_id,
            ticket.symbol,
            ticket.side,
            ticket.order_type,
            ticket.time_in_force,
            quantity,
            price,
            STP,
            plan.remaining,
            0,
        )
        book.enter(order, plan.remaining)

"""How much memory does a server need for a million open orders in 100 books?

The server reads the orders from the log, as after any restart. Each order has a client
order id that differs from its order id; most clients send none.
"""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from benchmarks.long_log import fill_log
from benchmarks.opening import TICK
from benchmarks.served import Served, served
from benchmarks.suite import Suite
from benchmarks.table import Row
from benchmarks.workload import START, meta, opening, uuid_text
from commands.messages import Command, PlaceOrder
from commands.writer.leadership import WriterState
from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce

NAME = "memory"
SYMBOLS = [f"SYM{number}" for number in range(100)]
TRADERS = 200
MEGABYTE = 2**20


class Memory(msgspec.Struct, frozen=True):
    """The memory of one process in bytes: the current and the highest value."""

    resident: int
    peak: int


def measure(suite: Suite) -> list[Row]:
    orders = suite.scaled(1_000_000, 50_000)
    with served(suite.places()) as server:
        empty = _memory(server)
    places = suite.places()
    commands = itertools.chain(opening(SYMBOLS, TRADERS), _resting(orders))
    for _ in fill_log(places.database_url, commands):
        pass
    with served(places) as server:
        full = _memory(server)
    each = (full.resident - empty.resident) / orders
    return [
        Row(
            what=f"server with {orders:,} open orders in {len(SYMBOLS)} books",
            measured=f"{full.resident / MEGABYTE:,.0f} MB",
            compared_with=f"empty server {empty.resident / MEGABYTE:,.0f} MB",
            target="1,500 MB",
            notes=f"{each:,.0f} bytes per order; peak in recovery "
            f"{full.peak / MEGABYTE:,.0f} MB; {TRADERS:,} traders",
        )
    ]


def _memory(server: Served) -> Memory:
    server.wait_until(lambda readiness: readiness.role == WriterState.LEADER.value)
    pid = server.process.pid
    status = Path(f"/proc/{pid}/status").read_text()
    peak = status.partition("VmHWM:")[2].split()[0]
    return Memory(psutil.Process(pid).memory_info().rss, int(peak) * 1024)


def _resting(count: int) -> Iterator[Command]:
    """Generate passive orders: bids below the reference price, asks above it."""
    rng = random.Random(7)
    for number in range(10_000_000, 10_000_000 + count):
        account, order_id = uuid_text(1, rng.randrange(TRADERS)), uuid_text(3, number)
        side = Side.BUY if rng.random() < 0.5 else Side.SELL
        away = rng.randint(1, 200) * TICK
        ticket = Ticket(
            order_id,
            uuid_text(4, number),
            account,
            rng.choice(SYMBOLS),
            side,
            OrderType.LIMIT,
            TimeInForce.GTC,
            rng.randint(1, 10) * 10,
            START - away if side is Side.BUY else START + away,
        )
        yield PlaceOrder(meta(number, account), ticket)

"""How many orders per second does the writer make durable, and what is the limit?

The writer runs in this process on a real Postgres with fsync on, as in the server. Each
of 256 clients sends its next order after the answer to the last one, and the projector
process fills the views in Redis. The ceiling is `bare_insert`: the same rows in the
same groups, with the projector idle. Of its two ratios the smaller counts.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from statistics import median
from time import perf_counter, process_time

import msgspec
import psycopg
import uvloop

from benchmarks import bare_insert
from benchmarks.interpreter import as_the_server
from benchmarks.latency import Latency, latency_of
from benchmarks.projector import projecting, views_position, wait_for_views
from benchmarks.suite import Places, Suite
from benchmarks.table import Row
from benchmarks.workload import OrderMix, opening
from commands.messages import Command
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.ids import LogPosition
from infra.log.event_store import PostgresEventStore
from infra.runtime.clock import SystemClock
from infra.views.homes import view_stores

NAME = "writer"
SYMBOLS = [f"SYM{number}" for number in range(10)]
TRADERS = 100
CLIENTS = 256
#: The ceiling inserts this many rows of each round again.
BARE_ROWS = 100_000


class Round(msgspec.Struct, frozen=True):
    """The figures of one round. `used` is the processor time of this process."""

    orders: float
    rows: float
    rows_per_order: float
    used: float
    latency: Latency
    projected: float
    group: float
    bare_text: float
    bare_binary: float


def measure(suite: Suite) -> list[Row]:
    places = suite.places()
    rounds = suite.scaled(5, 2)
    orders = suite.scaled(60_000, 10_000)
    flow = list(
        islice(OrderMix(SYMBOLS, TRADERS, cancels=False), orders * (rounds + 1))
    )
    with projecting(places):
        figures = uvloop.run(_measure(places, flow, orders))
    return _rows(figures)


async def _measure(places: Places, flow: Sequence[Command], orders: int) -> list[Round]:
    rounds: list[Round] = []
    with PostgresEventStore(places.database_url) as store:
        async with leading(store) as writer:
            for command in opening(SYMBOLS, TRADERS):
                await writer.execute(command)
            with as_the_server():
                for start in range(0, len(flow), orders):
                    part = flow[start : start + orders]
                    rounds.append(await _round(places, writer, part))
    # The first round is the warm-up.
    return rounds[1:]


@asynccontextmanager
async def leading(store: PostgresEventStore) -> AsyncGenerator[Writer]:
    leading = asyncio.Event()

    def on_state(state: WriterState) -> None:
        if state is WriterState.LEADER:
            leading.set()

    writer = Writer(store, clock=SystemClock(), on_state=on_state)
    running = asyncio.create_task(writer.run())
    await leading.wait()
    try:
        yield writer
    finally:
        await writer.stop()
        await running


async def _round(places: Places, writer: Writer, flow: Sequence[Command]) -> Round:
    after = writer.exchange.position
    await asyncio.to_thread(wait_for_views, places, after)
    commands = iter(flow)
    start, used = perf_counter(), process_time()
    latencies = await asyncio.gather(
        *(_client(writer, commands) for _ in range(CLIENTS))
    )
    used, took = process_time() - used, perf_counter() - start
    head = writer.exchange.position
    with view_stores(places.database_url, places.redis_url) as stores:
        projected = (views_position(stores) or after) - after
    await asyncio.to_thread(wait_for_views, places, head)
    bare_text, bare_binary, group = await asyncio.to_thread(_bare, places, after)
    return Round(
        orders=len(flow) / took,
        rows=(head - after) / took,
        rows_per_order=(head - after) / len(flow),
        used=used / took,
        latency=latency_of(each for some in latencies for each in some),
        projected=projected / took,
        group=group,
        bare_text=bare_text,
        bare_binary=bare_binary,
    )


async def _client(writer: Writer, commands: Iterator[Command]) -> list[float]:
    latencies: list[float] = []
    for command in commands:
        sent = perf_counter()
        await writer.execute(command)
        latencies.append(perf_counter() - sent)
    return latencies


def _bare(places: Places, after: LogPosition) -> tuple[float, float, float]:
    with psycopg.connect(places.database_url, autocommit=True) as connection:
        groups = bare_insert.committed_groups(connection, after, BARE_ROWS)
        text = bare_insert.bare_rate(connection, bare_insert.TEXT, groups)
        binary = bare_insert.bare_rate(connection, bare_insert.BINARY, groups)
    return text, binary, sum(len(group[0]) for group in groups) / len(groups)


def _rows(rounds: Sequence[Round]) -> list[Row]:
    def mid(name: str) -> float:
        return median(msgspec.structs.asdict(each)[name] for each in rounds)

    by_rate = sorted(rounds, key=lambda each: each.orders)
    latency = by_rate[len(rounds) // 2].latency
    return [
        Row(
            what=f"writer in process, durable, {CLIENTS} clients waiting",
            measured=f"{mid('orders'):,.0f} orders/s",
            target="15,000/s",
            latency=latency,
            rows_per_order=mid("rows_per_order"),
            notes=f"{mid('group'):,.0f} rows per commit; the process used "
            f"{mid('used'):.0%} of a core; the views kept up with "
            f"{mid('projected'):,.0f} rows/s meanwhile",
        ),
        _comparison("text", mid("rows"), mid("bare_text")),
        _comparison("binary", mid("rows"), mid("bare_binary")),
    ]


def _comparison(form: str, rows: float, bare: float) -> Row:
    return Row(
        what="its rows, compared with a bare unnest insert",
        measured=f"{rows:,.0f} rows/s",
        compared_with=f"bare insert, {form} arrays, {bare:,.0f} rows/s",
        ratio=rows / bare,
        target="0.70",
        notes="arrays prepared before, same groups, views idle",
    )

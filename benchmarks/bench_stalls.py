"""How long does one command hold everybody up, if it ends or fills many orders?

    python -m benchmarks.bench_stalls [ORDERS]

First the decisions alone: the longest slice of a cancel-all and of a day roll, and an
order with as many fills as it may have. Then a writer on Postgres: the delays of a
trader who places and cancels an order again and again meanwhile.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import count
from time import perf_counter, thread_time

from benchmarks.bench_writer import leading
from benchmarks.opening import TICK
from benchmarks.suite import Suite
from benchmarks.workload import (
    START,
    carry_out,
    meta,
    open_exchange,
    opening,
    uuid_text,
)
from commands.handlers.slices import slices_of_cancel_all, slices_of_day_roll
from commands.messages import (
    CancelAllOrders,
    CancelOrder,
    Command,
    PlaceOrder,
    PlaceOrders,
    RollDay,
)
from commands.state.exchange import Exchange
from commands.writer.writer import Writer
from domain.market.matching import MAKERS_MAX
from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce
from infra.log.event_store import PostgresEventStore

SYMBOL = "SYM"
ORDERS = 100_000
#: Price levels of the resting orders.
LEVELS = 200
GROUP = 500
MANY, OTHER, MAKER = (uuid_text(1, number) for number in range(3))
_numbers = count(1_000)


def order(account: str, side: Side, quantity: int, away: int) -> PlaceOrder:
    """Return a day order `away` ticks below the first price."""
    number = next(_numbers)
    order_id = uuid_text(3, number)
    ticket = Ticket(
        order_id,
        order_id,
        account,
        SYMBOL,
        side,
        OrderType.LIMIT,
        TimeInForce.DAY,
        quantity,
        START - away * TICK,
    )
    return PlaceOrder(meta(number, account), ticket)


def bids(orders: int) -> Iterator[PlaceOrder]:
    return (order(MANY, Side.BUY, 1, 100 + number % LEVELS) for number in range(orders))


def cancel_all() -> CancelAllOrders:
    return CancelAllOrders(meta(next(_numbers), MANY), MANY)


def roll(day: str) -> RollDay:
    return RollDay(meta(next(_numbers)), SYMBOL, day)


def sweep() -> tuple[list[PlaceOrder], PlaceOrder]:
    """Return as many offers as one order may meet, and the order that takes them."""
    offers = [order(MAKER, Side.SELL, 1, 0) for _ in range(MAKERS_MAX)]
    return offers, order(OTHER, Side.BUY, MAKERS_MAX, 0)


# --- decisions alone ---


def decided(exchange: Exchange, commands: Iterable[Command | None]) -> str:
    """Decide the commands; word their number and the longest, in processor time."""
    times: list[float] = []
    start = thread_time()
    for command in commands:
        if command is not None:
            carry_out(exchange, command)
        times.append(thread_time() - start)
        start = thread_time()
    return f"{len(times)} decisions, the longest {max(times) * 1_000:.1f} ms"


def decisions(orders: int) -> None:
    exchange = open_exchange([SYMBOL], 3)

    def now() -> int:
        return next(_numbers)

    for each in bids(orders):
        carry_out(exchange, each)
    print("accept cancel-all:", decided(exchange, [cancel_all()]))
    wallet = exchange.wallet(MANY)
    print("its slices:", decided(exchange, slices_of_cancel_all(exchange, wallet, now)))
    for each in bids(orders):
        carry_out(exchange, each)
    print("begin the roll:", decided(exchange, [roll("2026-01-02")]))
    market = exchange.market(SYMBOL)
    print("its slices:", decided(exchange, slices_of_day_roll(market, now)))
    for _ in range(5):
        offers, taker = sweep()
        for each in offers:
            carry_out(exchange, each)
        print(f"{MAKERS_MAX} fills:", decided(exchange, [taker]))


# --- a writer and another trader ---


async def trade(writer: Writer, delays: list[float]) -> None:
    """Place and cancel one order after the other until the task is canceled."""
    while True:
        placed = order(OTHER, Side.BUY, 1, 90)
        cancel = CancelOrder(meta(next(_numbers), OTHER), OTHER, placed.ticket.order_id)
        for command in (placed, cancel):
            start = perf_counter()
            await writer.execute(command)
            delays.append(perf_counter() - start)


async def turns(stalls: list[float]) -> None:
    """Measure how long the loop takes to come back to a task that only waits 1 ms."""
    while True:
        start = perf_counter()
        await asyncio.sleep(0.001)
        stalls.append(perf_counter() - start - 0.001)


async def beside(
    name: str, writer: Writer, work: Callable[[], Awaitable[object]]
) -> None:
    """Carry out the work beside another trader, and print what the trader noticed."""
    delays: list[float] = []
    stalls: list[float] = []
    others = [
        asyncio.create_task(trade(writer, delays)),
        asyncio.create_task(turns(stalls)),
    ]
    await asyncio.sleep(0.2)
    start = perf_counter()
    await work()
    took = perf_counter() - start
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    delays.sort()
    middle, late = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(
        f"{name}: took {took:.2f} s; others: p50 {middle * 1_000:.1f}, "
        f"p99 {late * 1_000:.1f}, p100 {delays[-1] * 1_000:.1f} ms of {len(delays)}; "
        f"the loop away for {max(stalls) * 1_000:.1f} ms at the longest"
    )


async def fill(writer: Writer, orders: int) -> None:
    pending = []
    for number, each in enumerate(bids(orders), 1):
        pending.append(writer.submit(each))
        if number % GROUP == 0:
            await pending[-1].answer()
            pending.clear()


async def written(orders: int, database_url: str) -> None:
    with PostgresEventStore(database_url) as store:
        async with leading(store) as writer:
            for command in opening([SYMBOL], 3):
                await writer.execute(command)
            await beside("nothing", writer, lambda: asyncio.sleep(2))
            await fill(writer, orders)
            await beside("cancel-all", writer, lambda: writer.execute(cancel_all()))
            await fill(writer, orders)
            day = roll("2026-01-02")
            await roll_beside(writer, day)
            offers, taker = sweep()
            for each in offers:
                await writer.execute(each)
            await beside("the fills", writer, lambda: writer.execute(taker))
            batch = PlaceOrders(
                meta(next(_numbers), MANY), tuple(enumerate(bids(GROUP)))
            )
            await beside("a batch", writer, lambda: writer.execute(batch))


async def roll_beside(writer: Writer, day: RollDay) -> None:
    """Roll the day; the other trader's market is the same, so only the loop counts."""
    stalls: list[float] = []
    other = asyncio.create_task(turns(stalls))
    start = perf_counter()
    await writer.execute(day)
    took = perf_counter() - start
    other.cancel()
    print(
        f"day roll: took {took:.2f} s; the loop away for {max(stalls) * 1_000:.1f} ms "
        "at the longest"
    )


def main(orders: int) -> None:
    decisions(orders)
    with Suite(quick=False) as suite:
        asyncio.run(written(orders, suite.places().database_url))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS)

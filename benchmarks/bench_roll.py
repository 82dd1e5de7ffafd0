"""How long do clients wait if a day ends with many day orders in one book?

    python -m benchmarks.bench_roll [ORDERS …]

More than 500 expire in slices (DAY-03): the market refuses orders meanwhile, and all
other commands go on.
"""

import asyncio
import sys
from time import perf_counter

from benchmarks.bench_writer import leading
from benchmarks.opening import TICK
from benchmarks.projector import projecting, wait_for_views
from benchmarks.suite import Places, Suite
from benchmarks.workload import START, meta, opening, uuid_text
from commands.messages import PlaceOrder, RollDay
from commands.writer.batch import Pending
from commands.writer.writer import Writer
from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce
from infra.log.event_store import PostgresEventStore

SYMBOL = "SYM"
TRADERS = 50
SIZES = (1_000, 10_000, 100_000)
#: Price levels on each side of the book.
LEVELS = 200
GROUP = 500


def main(sizes: list[int]) -> None:
    with Suite(quick=False) as suite:
        for size in sizes:
            places = suite.places()
            with projecting(places):
                asyncio.run(_measure(places, size))


async def _measure(places: Places, size: int) -> None:
    with PostgresEventStore(places.database_url) as store:
        async with leading(store) as writer:
            for command in opening([SYMBOL], TRADERS):
                await writer.execute(command)
            await _fill(writer, size)
            head = writer.exchange.position
            await asyncio.to_thread(wait_for_views, places, head)
            stalls = asyncio.create_task(_longest_stall())
            start = perf_counter()
            roll = RollDay(meta(10 * size), SYMBOL, "2026-01-02")
            answer = await writer.execute(roll)
            answered = perf_counter() - start
            await asyncio.to_thread(wait_for_views, places, answer.position)
            visible = perf_counter() - start
            stalls.cancel()
            print(
                f"{size:>9,} day orders: answered after {answered:.2f} s, "
                f"visible after {visible:.2f} s; the loop was blocked for "
                f"{await stalls:.2f} s at the longest"
            )


async def _fill(writer: Writer, size: int) -> None:
    pending: list[Pending] = []
    for number in range(size):
        pending.append(writer.submit(_day_order(number)))
        if len(pending) == GROUP or number == size - 1:
            for each in pending:
                await each.answer()
            pending.clear()


def _day_order(number: int) -> PlaceOrder:
    buys = number % 2
    away = TICK * (1 + number % LEVELS)
    order_id = uuid_text(3, number)
    ticket = Ticket(
        order_id,
        order_id,
        uuid_text(1, number % TRADERS),
        SYMBOL,
        Side.BUY if buys else Side.SELL,
        OrderType.LIMIT,
        TimeInForce.DAY,
        10,
        START - away if buys else START + away,
    )
    return PlaceOrder(meta(1_000 + number), ticket)


async def _longest_stall() -> float:
    """Measure the longest delay of the loop in seconds, until the task is canceled."""
    worst = 0.0
    try:
        while True:
            start = perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, perf_counter() - start - 0.005)
    except asyncio.CancelledError:
        return worst


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or list(SIZES))

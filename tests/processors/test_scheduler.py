"""The day roll by the clock: once for each market and midnight, despite failures."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
from zoneinfo import ZoneInfo

import pytest
import structlog

from benchmarks.workload import opening, uuid_text
from commands.messages import PlaceOrder
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.events.event import Meta
from domain.events.market import DayRollBegan, DayRolled, OrderExpired
from domain.ids import ClientOrderId, OrderId
from domain.market.order import Ticket
from domain.vocabulary import OrderType, Side, TimeInForce
from infra.runtime.clock import SystemClock
from processors.scheduler import Scheduler
from tests.support.machine import Machine
from tests.support.memory import MemoryEventStore

SYMBOLS = ["ACME", "GLBX"]
ACCOUNT = uuid_text(1, 0)
HOUR = 3_600_000_000
#: 2026-01-01 12:00 UTC, the day on which the workload's instruments are listed.
NOON = 1_767_268_800_000_000


@asynccontextmanager
async def leading(
    store: MemoryEventStore, clock: SystemClock | None = None
) -> AsyncGenerator[Writer]:
    """Run a writer that leads, and stop it afterwards."""
    leads = asyncio.Event()
    writer = Writer(
        store,
        clock=clock or Machine(NOON).clock(),
        on_state=lambda role: leads.set() if role is WriterState.LEADER else None,
        on_newest=None if clock is None else clock.not_before,
    )
    task = asyncio.create_task(writer.run())
    await leads.wait()
    try:
        yield writer
    finally:
        await writer.stop()
        with suppress(asyncio.CancelledError):
            await task


def scheduler(writer: Writer, clock: SystemClock, zone: str = "UTC") -> Scheduler:
    """Return a scheduler with predictable command ids."""
    ids = count(1)
    return Scheduler(
        writer,
        clock=clock,
        new_id=lambda: f"scheduled-{next(ids)}",
        zone=ZoneInfo(zone),
    )


def facts_of(store: MemoryEventStore, kind: type[DayRolled | OrderExpired]) -> int:
    """Count the facts of one type in the log."""
    return sum(
        isinstance(fact.event, kind) for fact in store.reader.read(0, 10_000).facts
    )


async def day_order(writer: Writer, at: int, *, symbol: str = "ACME") -> None:
    """Place a day order to buy one share at one dollar."""
    name = OrderId(f"day-order-{symbol}")
    ticket = Ticket(
        name,
        ClientOrderId(name),
        ACCOUNT,
        symbol,
        Side.BUY,
        OrderType.LIMIT,
        TimeInForce.DAY,
        1,
        10_000,
    )
    await writer.execute(PlaceOrder(Meta(at, ACCOUNT, name), ticket))


@pytest.mark.rule("DAY-01")
async def test_every_market_rolls_once_at_midnight():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        timed = scheduler(writer, clock)

        await timed.tick()
        assert facts_of(store, DayRolled) == 0
        machine.passes(12 * HOUR)
        await timed.tick()
        await timed.tick()

        assert facts_of(store, DayRolled) == len(SYMBOLS)
        assert writer.exchange.market("ACME").session_date == "2026-01-02"


@pytest.mark.rule("DAY-02")
async def test_an_order_of_the_new_day_is_never_taken_into_the_old_session():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        machine.passes(12 * HOUR)

        rolling = asyncio.create_task(scheduler(writer, clock).tick())
        await asyncio.sleep(0)
        # The writer has decided the rolls of all markets, but none is durable yet.
        await day_order(writer, clock.now(), symbol=SYMBOLS[-1])
        await rolling

        assert facts_of(store, DayRolled) == len(SYMBOLS)
        assert facts_of(store, OrderExpired) == 0


@pytest.mark.rule("DAY-02")
async def test_a_server_that_was_down_for_days_rolls_once_and_expires_day_orders():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        await day_order(writer, NOON)
    machine.passes(5 * 24 * HOUR)

    async with leading(store) as writer:
        await scheduler(writer, clock).tick()
        await scheduler(writer, clock).tick()

        assert facts_of(store, DayRolled) == len(SYMBOLS)
        assert facts_of(store, OrderExpired) == 1
        assert writer.exchange.wallet(ACCOUNT).held == 0


async def test_a_roll_that_could_not_be_recorded_is_due_at_the_next_look():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        machine.passes(12 * HOUR)
        timed = scheduler(writer, clock)
        writer.queue_limit = 0

        await timed.tick()
        assert facts_of(store, DayRolled) == 0
        writer.queue_limit = 10
        await timed.tick()

        assert facts_of(store, DayRolled) == len(SYMBOLS)


async def test_the_log_has_one_line_for_each_reason_why_rolls_wait():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        machine.passes(12 * HOUR)
        timed = scheduler(writer, clock)
        limit = writer.queue_limit

        with structlog.testing.capture_logs() as lines:
            for room in (0, 0, 0, limit, limit):
                writer.queue_limit = room
                await timed.tick()
            machine.passes(24 * HOUR)
            writer.queue_limit = 0
            await timed.tick()

    shown = [each["event"] for each in lines]
    assert shown == ["day_roll_waits", "day_rolled", "day_roll_waits"]
    assert lines[0]["reason"] == "busy"


@pytest.mark.rule("DAY-03")
async def test_no_day_rolls_by_a_clock_that_stepped_and_trading_goes_on():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        await day_order(writer, clock.now())
        timed = scheduler(writer, clock)

        machine.steps(10 * 24 * HOUR)
        await timed.tick()
        await day_order(writer, clock.now(), symbol=SYMBOLS[-1])
        # A midnight that passes meanwhile waits too.
        machine.passes(12 * HOUR)
        await timed.tick()

        assert facts_of(store, DayRolled) == facts_of(store, OrderExpired) == 0
        newest = store.reader.read(0, 10_000).facts[-1].event
        assert newest.meta.at < NOON + HOUR


@pytest.mark.rule("DAY-03")
async def test_the_days_roll_once_the_clocks_agree_again():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        timed = scheduler(writer, clock)
        machine.steps(10 * 24 * HOUR)
        machine.passes(12 * HOUR)
        await timed.tick()

        machine.steps(-10 * 24 * HOUR)
        await timed.tick()

        assert facts_of(store, DayRolled) == len(SYMBOLS)
        assert writer.exchange.market("ACME").session_date == "2026-01-02"


@pytest.mark.rule("DAY-04")
async def test_a_confirmed_step_rolls_the_days_that_are_over():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        await day_order(writer, clock.now())
        timed = scheduler(writer, clock)
        machine.steps(10 * 24 * HOUR)

        clock.confirm(10 * 24 * HOUR)
        await timed.tick()

        assert facts_of(store, OrderExpired) == 1
        assert writer.exchange.market("ACME").session_date == "2026-01-11"


@pytest.mark.rule("DAY-03")
async def test_the_log_has_one_line_for_each_change_of_the_step():
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    timed = scheduler(Writer(store, clock=clock), clock)

    with structlog.testing.capture_logs() as lines:
        for ahead in (0, 10 * 24 * HOUR, 0, HOUR // 60, HOUR, -10 * 24 * HOUR):
            machine.steps(ahead)
            timed.watch()
        machine.steps(-HOUR - HOUR // 60)
        timed.watch()
        timed.watch()

    shown = [(each["log_level"], each["event"]) for each in lines]
    assert shown == [("error", "clock_stepped")] * 3 + [("info", "clock_agrees")]
    assert [each["ahead_seconds"] for each in lines[:3]] == [864_000, 867_660, 3_660]


@pytest.mark.rule("DAY-05")
async def test_a_leader_learns_the_time_of_the_newest_fact():
    store, machine = MemoryEventStore(), Machine(NOON)
    async with leading(store) as writer:
        for command in opening(SYMBOLS, 1):
            await writer.execute(command)
        await day_order(writer, NOON)
    machine.steps(-10 * 24 * HOUR)
    clock = machine.clock()

    async with leading(store, clock) as writer:
        await scheduler(writer, clock).tick()

        assert clock.step() == -10 * 24 * HOUR
        assert clock.now() > NOON
        assert facts_of(store, DayRolled) == 0


async def test_rolls_of_one_turn_end_no_more_orders_than_one_command_may(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("processors.scheduler.ENDED_MAX", 1)
    store, machine = MemoryEventStore(), Machine(NOON)
    clock = machine.clock()
    symbols = [*SYMBOLS, "LAST"]
    async with leading(store) as writer:
        for command in opening(symbols, 1):
            await writer.execute(command)
        for symbol in SYMBOLS:
            await day_order(writer, NOON, symbol=symbol)
        machine.passes(12 * HOUR)

        await scheduler(writer, clock).tick()

        facts = store.reader.read(0, 10_000).facts
        begun = [each for each in facts if isinstance(each.event, DayRollBegan)]
        assert [each.stream for each in begun] == ["market-GLBX"]
        assert facts_of(store, DayRolled) == len(symbols)
        assert facts_of(store, OrderExpired) == len(SYMBOLS)

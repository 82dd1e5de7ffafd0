"""A long log, written in bulk by the core and the writer's append path."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Iterable

import msgspec

from benchmarks.suite import Places, Suite
from benchmarks.workload import OrderMix, opening
from commands.handlers.dispatch import execute
from commands.messages import Command
from commands.state.exchange import Exchange
from domain.errors import OrderDone
from domain.events.register import Recorded
from domain.ids import LogPosition
from infra.log.event_store import PostgresEventStore
from infra.runtime.settings import Settings

SYMBOLS = [f"SYM{number}" for number in range(10)]
TRADERS = 100
#: Rows per append.
GROUP = 5_000
_logs: dict[Suite, "LongLog"] = {}


class LongLog(msgspec.Struct, frozen=True):
    """A log, the number of its events, and the number after its snapshot."""

    places: Places
    events: int
    after_snapshot: int


def long_log(suite: Suite) -> LongLog:
    """Return the log of this run; the first call writes it.

    Its snapshot is as old as the server allows.
    """
    if suite not in _logs:
        events = suite.scaled(1_000_000, 100_000)
        age = min(Settings().snapshot_every, events // 4)
        _logs[suite] = _write_log(suite.places(), events, age)
    return _logs[suite]


def _write_log(places: Places, events: int, age: int) -> LongLog:
    commands = (*opening(SYMBOLS, TRADERS),)
    mix = OrderMix(SYMBOLS, TRADERS)
    saved = 0
    with contextlib.closing(
        fill_log(
            places.database_url, (each for some in (commands, mix) for each in some)
        )
    ) as heads:
        for head in heads:
            if not saved and head >= events - age:
                take_snapshot(places.database_url)
                saved = head
            if head >= events:
                return LongLog(places, head, head - saved)
    raise AssertionError("the order mix has no end")


def fill_log(database_url: str, commands: Iterable[Command]) -> Generator[LogPosition]:
    """Carry out commands on an empty log; yield the head after each append."""
    exchange = Exchange()
    batch: list[Recorded] = []
    with PostgresEventStore(database_url) as store:
        writer = store.acquire()
        assert writer is not None, "another server has the lease"
        with contextlib.closing(writer):
            for command in commands:
                with contextlib.suppress(OrderDone):
                    batch += execute(exchange, command)
                if len(batch) >= GROUP:
                    yield writer.append(batch) + len(batch) - 1
                    batch.clear()
                    exchange.take_unlocated()
            if batch:
                yield writer.append(batch) + len(batch) - 1


def take_snapshot(database_url: str) -> None:
    """Take a snapshot in a separate process, as the server does."""
    subprocess.run(
        [sys.executable, "-m", "infra.cli.commands", "snapshot", "--json"],
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
        check=True,
    )

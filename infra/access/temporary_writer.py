"""A writer that leads during one command of the command line."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from commands.ports import EventStore, SnapshotStore
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from infra.runtime.clock import SystemClock

#: How long to wait for another process's lease before raising NoLease.
LEASE_SECONDS = 5.0


class NoLease(Exception):
    """Another process leads on this database, so commands must go through it."""

    code = "lease-held"


@asynccontextmanager
async def temporary_writer(
    store: EventStore, snapshots: SnapshotStore | None = None
) -> AsyncGenerator[Writer]:
    """Lead, and return the lease at the end, when everything is durable.

    Raises:
        NoLease: a server leads on this database.
    """
    leading = asyncio.Event()
    writer = Writer(
        store,
        snapshots,
        clock=SystemClock(),
        on_state=lambda state: leading.set() if state is WriterState.LEADER else None,
    )
    running = asyncio.create_task(writer.run())
    led = asyncio.create_task(leading.wait())
    try:
        while not led.done():
            await asyncio.wait(
                (running, led),
                timeout=LEASE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if running.done():
                # The writer ends before `stop` only with an error, which this raises.
                await running
            if not led.done() and writer.state is WriterState.STANDBY:
                raise NoLease("another process leads on this database")
        yield writer
    finally:
        led.cancel()
        await writer.stop()
        await running

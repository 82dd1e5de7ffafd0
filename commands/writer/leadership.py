"""Leadership: acquire the lease, recover the state, lead, and lose the lease.

When a commit fails, memory is ahead of the log. Leadership then drops the memory,
acquires the lease again and recovers the state from the log.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from commands.ports import (
    EventStore,
    LogLost,
    LogUnavailable,
    LogWriter,
    SnapshotStore,
)
from commands.state.exchange import Exchange
from commands.writer.group_commit import GroupCommit
from commands.writer.recovery import NotWanted, newest_time, recover
from domain.events.event import Timestamp

#: A standby asks for the lease, and a leader checks its lease, at this interval.
LEASE_SECONDS = 0.25
#: How long a stopping writer waits until the commands it accepted are durable.
STOP_SECONDS = 4.0


class WriterState(StrEnum):
    """What a writer does at the moment."""

    STANDBY = "standby"
    RECOVERING = "recovering"
    LEADER = "leader"


class Leadership:
    """The lease on the log, and the state in memory while this process holds it."""

    def __init__(
        self,
        store: EventStore,
        snapshots: SnapshotStore | None,
        commits: GroupCommit,
        *,
        on_state: Callable[[WriterState], None],
        on_newest: Callable[[Timestamp], None] | None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._commits = commits
        self._on_state = on_state
        #: Gets the time of the newest fact of the log before each leadership.
        self._on_newest = on_newest
        # Not STANDBY: until the log says who leads, another server may not lead either.
        self.state = WriterState.RECOVERING
        self.exchange = Exchange()
        self.stopping = False
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Acquire the lease, recover, lead; again after each loss, until `stop`."""
        self._commits.attach(asyncio.get_running_loop())
        while not self.stopping:
            log = await asyncio.to_thread(self._acquire)
            if log is None:
                self._become(WriterState.STANDBY)
                await asyncio.sleep(LEASE_SECONDS)
                continue
            self._become(WriterState.RECOVERING)
            try:
                await self._recover_and_lead(log)
            except (LogLost, LogUnavailable):
                await asyncio.sleep(LEASE_SECONDS)
            finally:
                await asyncio.to_thread(log.close)
        self._become(WriterState.STANDBY)

    def abandon(self) -> None:
        """Drop the memory, which may be ahead of the log, and fail the open batch."""
        if self.state is not WriterState.LEADER:
            return
        self._become(WriterState.RECOVERING)
        self._commits.lose()
        self.exchange = Exchange()
        self._lost.set()

    async def stop(self) -> None:
        """Make the accepted commands durable, then give the lease back.

        If the log does not answer in time, the waiting commands fail, so that their
        clients get an answer before the server stops.
        """
        self.stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self.state is WriterState.LEADER and self._commits.waiting:
                    await self._commits.next_resolved()
        except TimeoutError:
            self.abandon()
        self._commits.give_up_doubt()
        self._lost.set()

    def _acquire(self) -> LogWriter | None:
        try:
            return self._store.acquire()
        except LogUnavailable:
            return None

    async def _recover_and_lead(self, log: LogWriter) -> None:
        reader = self._store.reader
        try:
            exchange = await asyncio.to_thread(
                recover, reader, self._snapshots, is_wanted=lambda: not self.stopping
            )
        except NotWanted:
            return
        await self._commits.resolve_doubt(reader)
        if self._on_newest is not None:
            at = await asyncio.to_thread(newest_time, reader, exchange.position)
            self._on_newest(at)
        if self.stopping:
            return
        self.exchange = exchange
        self._lost.clear()
        self._commits.begin(log, exchange)
        self._become(WriterState.LEADER)
        try:
            while not self._lost.is_set() and log.alive():
                await self._wait_for_loss()
        finally:
            self.abandon()
            await self._commits.end(log)

    async def _wait_for_loss(self) -> None:
        try:
            async with asyncio.timeout(LEASE_SECONDS):
                await self._lost.wait()
        except TimeoutError:
            return

    def _become(self, state: WriterState) -> None:
        if state is not self.state:
            self.state = state
            self._on_state(state)

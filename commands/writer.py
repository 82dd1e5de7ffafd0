"""The one writer: decide in memory, commit in groups, answer after the commit.

Commands are carried out one after another on the event loop, in microseconds; their
facts gather in the open batch. A thread commits: as soon as one batch is durable the
next one goes, so that one flush to disk serves everybody who waited. When a commit
fails, memory is ahead of the truth: it is dropped, the lease is acquired anew, and the
state comes back from the log.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from queue import SimpleQueue

import msgspec

from commands.batch import Batch
from commands.dispatch import execute
from commands.exchange import Exchange, locate
from commands.messages import Command
from commands.ports import (
    EventStore,
    LogLost,
    LogUnavailable,
    LogWriter,
    SnapshotStore,
)
from commands.receipts import Repeated
from commands.recovery import NotWanted, recover
from domain.errors import Busy, CommitFailed, DomainError, NotLeading
from domain.events.register import AnyEvent
from domain.ids import LogPosition

#: How often a standby asks for the lease, and a leader whether it still has it.
LEASE_SECONDS = 0.25
#: Facts that most commands have no more of: what a repeated one is read with.
FACTS_OF_MOST = 20
#: How long commands in doubt wait for the log to come back and tell.
DOUBT_SECONDS = 5.0
#: How long an append under way is waited for when the lead is lost.
JOIN_SECONDS = 5.0
#: How long a writer that is to end waits for what it has accepted to become durable.
STOP_SECONDS = 4.0


class Role(StrEnum):
    STANDBY = "standby"
    RECOVERING = "recovering"
    LEADER = "leader"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a command brought about, durable.

    `position` is the log position to hand to a query that must see it. `repeated` says
    that the command was carried out before and this is its first answer.
    """

    position: LogPosition
    events: Sequence[AnyEvent]
    repeated: bool = False


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A command carried out in memory, whose facts are `start` to `end` of a batch.

    Or one that was refused in a state which that batch makes durable: the refusal is as
    good as that state, and is told no earlier.
    """

    batch: Batch
    start: int
    end: int
    refusal: DomainError | None = None

    async def answer(self) -> Answer:
        """Wait until it is durable.

        Raises:
            DomainError: it was refused.
            CommitFailed: it is not durable; the same command may be sent again.
        """
        first = await self.batch.committed()
        if self.refusal is not None:
            raise self.refusal
        events = self.batch.events[self.start : self.end]
        return Answer(first + self.end - 1, [r.event for r in events])


class Writer:
    """Carries out commands for as long as it holds the lease on the log."""

    def __init__(
        self,
        store: EventStore,
        snapshots: SnapshotStore | None = None,
        *,
        queue_limit: int = 20_000,
        on_role: Callable[[Role], None] | None = None,
    ) -> None:
        self.store = store
        self.snapshots = snapshots
        self.queue_limit = queue_limit
        self.on_role = on_role
        # Until the log has said who leads, nobody is to be told that this is a standby.
        self.role = Role.RECOVERING
        self.exchange = Exchange()
        self.waiting = 0
        self._loop: asyncio.AbstractEventLoop
        self._open: Batch
        self._queue: SimpleQueue[Batch | None]
        self._inflight: Batch | None = None
        self._in_doubt: Batch | None = None
        self._scheduled = False
        self._stopping = False
        self._lost = asyncio.Event()

    # --- commands ---

    async def execute(self, command: Command) -> Answer:
        """Carry out a command and wait until it is durable.

        Raises:
            DomainError: it is refused, or could not be made durable.
        """
        try:
            pending = self.submit(command)
        except Repeated as repeated:
            return await self.repeated_answer(repeated)
        return await pending.answer()

    def submit(self, command: Command) -> Pending:
        """Carry out a command in memory; its answer must be awaited before it is told.

        Raises:
            DomainError: it is refused, and nothing was recorded. Where the state that
                it is refused in is not durable yet, that is told with the answer.
            Repeated: it was carried out before; `repeated_answer` has the answer.
        """
        self.check_leading()
        if self.waiting >= self.queue_limit:
            raise Busy
        try:
            start = self._carry_out(command)
        except DomainError as refusal:
            batch = self._unsettled()
            if batch is None:
                raise
            self.waiting += 1
            batch.count += 1
            return Pending(batch, 0, 0, refusal)
        self.waiting += 1
        self._open.count += 1
        if self._inflight is None and not self._scheduled:
            # Not at once: whatever else this turn of the loop brings joins the batch.
            self._scheduled = True
            self._loop.call_soon(self._hand_over)
        return Pending(self._open, start, len(self._open.events))

    def check_leading(self) -> None:
        """Refuse what rests on memory where there is none, or that is to be given up.

        Raises:
            NotLeading
        """
        if self.role is not Role.LEADER or self._stopping:
            raise NotLeading(standby=self.role is Role.STANDBY)

    def _carry_out(self, command: Command) -> int:
        """Add a command's facts to the open batch; return where they begin in it."""
        events = self._open.events
        start = len(events)
        try:
            events += execute(self.exchange, command)
        except (DomainError, Repeated):
            if self.exchange.outbox:
                self._abandon()
            raise
        except BaseException:
            # A defect struck half way: memory may hold half a command.
            self._abandon()
            raise
        return start

    async def repeated_answer(self, repeated: Repeated) -> Answer:
        """The first answer of a command that was carried out before, from the log.

        Raises:
            DomainError: the first command had other content, or was not committed.
            LogUnavailable: the log cannot be read just now.
        """
        for batch in (self._in_doubt, self._inflight, self._open):
            if batch is not None and batch.count and not repeated.position():
                await batch.committed()
        position = repeated.position()
        if not position:
            # The first one was in memory only, and memory was dropped since.
            raise CommitFailed
        read = self.store.reader.read
        facts = await asyncio.to_thread(read, position - 1, FACTS_OF_MOST)
        command_id = facts[0].event.meta.command_id
        own = [fact for fact in facts if fact.event.meta.command_id == command_id]
        events = [fact.event for fact in own]
        repeated.check(events)
        return Answer(own[-1].position, events, repeated=True)

    async def settled(self, exchange: Exchange) -> None:
        """Wait until all that a state of this writer shows is durable.

        Raises:
            CommitFailed: it is not, and memory was dropped.
        """
        if exchange is not self.exchange:
            raise CommitFailed
        batch = self._unsettled()
        if batch is not None:
            await batch.committed()

    def _unsettled(self) -> Batch | None:
        """The newest batch with facts that are not durable yet."""
        return self._open if self._open.events else self._inflight

    # --- the group commit ---

    def _hand_over(self) -> None:
        self._scheduled = False
        batch = self._open
        if self._inflight is not None or not batch.count:
            return
        self._open = Batch(self._loop)
        if not batch.events:
            # Nothing was recorded: what the answers rest on is durable already.
            self.waiting -= batch.count
            batch.settle(self.exchange.position + 1)
            return
        batch.unlocated = self.exchange.take_unlocated()
        self._inflight = batch
        self._queue.put(batch)

    def _commit_batches(self, log: LogWriter, queue: SimpleQueue[Batch | None]) -> None:
        """Runs in the commit thread, until it is told to stop or the log is lost."""
        while (batch := queue.get()) is not None:
            try:
                first = log.append(batch.events)
            except LogLost:
                self._loop.call_soon_threadsafe(self._abandon)
                return
            except BaseException:
                # A defect. Whoever waits must not wait for ever.
                self._loop.call_soon_threadsafe(self._abandon)
                raise
            self._loop.call_soon_threadsafe(self._committed, batch, first)

    def _committed(self, batch: Batch, first: LogPosition) -> None:
        if batch.settled:
            # It was given up on; whoever sent it has been told to ask again.
            return
        self.waiting -= batch.count
        locate(batch.unlocated, first=first)
        batch.settle(first)
        if batch is self._in_doubt:
            self._in_doubt = None
            return
        self._inflight = None
        self.exchange.position = first + len(batch.events) - 1
        if self._open.count:
            self._hand_over()

    # --- leading, and losing the lead ---

    async def run(self) -> None:
        """Acquire the lease, recover, lead; again whenever it is lost. Until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._open = Batch(self._loop)
        while not self._stopping:
            log = await asyncio.to_thread(self._acquire)
            if log is None:
                self._become(Role.STANDBY)
                await asyncio.sleep(LEASE_SECONDS)
                continue
            self._become(Role.RECOVERING)
            try:
                await self._recover_and_lead(log)
            except (LogLost, LogUnavailable):
                await asyncio.sleep(LEASE_SECONDS)
            finally:
                await asyncio.to_thread(log.close)
        self._become(Role.STANDBY)

    def _acquire(self) -> LogWriter | None:
        try:
            return self.store.acquire()
        except LogUnavailable:
            return None

    async def _recover_and_lead(self, log: LogWriter) -> None:
        reader = self.store.reader
        try:
            exchange = await asyncio.to_thread(
                recover, reader, self.snapshots, is_wanted=lambda: not self._stopping
            )
        except NotWanted:
            return
        await self._settle_doubt()
        if self._stopping:
            return
        self.exchange = exchange
        self._lost.clear()
        queue = self._queue = SimpleQueue[Batch | None]()
        thread = threading.Thread(
            target=self._commit_batches, args=(log, queue), name="commit", daemon=True
        )
        thread.start()
        self._become(Role.LEADER)
        try:
            while not self._lost.is_set() and log.alive():
                await self._wait_for_loss()
        finally:
            self._abandon()
            queue.put(None)
            await asyncio.to_thread(thread.join, JOIN_SECONDS)
            # That ends an append which gets no answer, too.
            await asyncio.to_thread(log.close)
            await asyncio.to_thread(thread.join)

    async def _wait_for_loss(self) -> None:
        try:
            async with asyncio.timeout(LEASE_SECONDS):
                await self._lost.wait()
        except TimeoutError:
            return

    def _abandon(self) -> None:
        """Memory may be ahead of the truth: let go of it and of whoever waits."""
        if self.role is not Role.LEADER:
            return
        self._become(Role.RECOVERING)
        lost, self._open = self._open, Batch(self._loop)
        self.waiting -= lost.count
        lost.settle(0)
        self._in_doubt, self._inflight = self._inflight, None
        if self._in_doubt is not None:
            self._loop.call_later(DOUBT_SECONDS, self._give_up, self._in_doubt)
        self.exchange = Exchange()
        self._lost.set()

    async def _settle_doubt(self) -> None:
        """A batch whose commit got no answer is in the log whole, or not at all."""
        batch = self._in_doubt
        if batch is None:
            return
        sent = batch.events[0]
        fact = await asyncio.to_thread(
            self.store.reader.find, sent.stream, sent.version
        )
        if fact is not None and fact.event == sent.event:
            self._committed(batch, fact.position)
        else:
            self._give_up(batch)

    def _give_up(self, batch: Batch) -> None:
        if batch.settled:
            return
        self._in_doubt = None
        self.waiting -= batch.count
        batch.settle(0)

    def _become(self, role: Role) -> None:
        if role is not self.role:
            self.role = role
            if self.on_role is not None:
                self.on_role(role)

    async def stop(self) -> None:
        """Make what was accepted durable, then give the lease back.

        Where the log does not answer in time, whoever waits is told so, for as long as
        there is somebody to tell.
        """
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self.role is Role.LEADER and self.waiting:
                    batch = self._inflight or self._open
                    await asyncio.wait([batch.committed()])
        except TimeoutError:
            self._abandon()
        if self._in_doubt is not None:
            self._give_up(self._in_doubt)
        self._lost.set()

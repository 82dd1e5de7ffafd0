"""The group commit: facts become durable in groups, one commit after another.

Facts gather in the open batch. A thread commits one batch after the other, so that one
flush to disk serves every command that arrived during the commit before.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from commands.ports import LogLost, LogReader, LogWriter
from commands.state.exchange import Exchange, Unlocated, locate
from commands.writer.batch import Batch, Pending
from domain.errors import DomainError
from domain.events.register import Recorded
from domain.ids import LOG_START, LogPosition

#: How long commands in doubt wait until the log is available again.
DOUBT_SECONDS = 5.0
#: How long the commit thread may take to end before its connection is closed.
JOIN_SECONDS = 5.0


class GroupCommit:
    """Batches of facts on their way into the log.

    `waiting` counts the commands without an answer. The loop calls `on_lost` when a
    commit fails.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._exchange = Exchange()
        self.on_lost: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop
        self._open: Batch
        self._inflight: Batch | None = None
        self._in_doubt: Batch | None = None
        self._scheduled = False
        self._queue: SimpleQueue[Batch | None]
        self._thread: threading.Thread

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop."""
        self._loop = loop
        self._open = Batch(loop)

    @property
    def position(self) -> LogPosition:
        """The latest durable log position."""
        return self._exchange.position

    def begin(self, log: LogWriter, exchange: Exchange) -> None:
        """Start to commit the facts of this state to this log."""
        self._exchange = exchange
        queue = self._queue = SimpleQueue[Batch | None]()
        self._thread = threading.Thread(
            target=self._commit_batches, args=(log, queue), name="commit", daemon=True
        )
        self._thread.start()

    async def end(self, log: LogWriter) -> None:
        """End the commit thread, even if its append gets no answer."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, JOIN_SECONDS)
        await asyncio.to_thread(log.close)
        await asyncio.to_thread(self._thread.join)

    # --- waiting ---

    def add(self, facts: Sequence[Recorded], unlocated: Unlocated) -> Pending:
        """Put the facts of one command into the open batch."""
        batch = self._open
        if unlocated:
            start = len(batch.facts)
            batch.unlocated += [(entry, start + place) for entry, place in unlocated]
        batch.facts += facts
        batch.count += 1
        self.waiting += 1
        if self._inflight is None and not self._scheduled:
            # Not at once, so that other commands of this turn can join the batch.
            self._scheduled = True
            self._loop.call_soon(self._hand_over)
        return Pending(batch, facts, len(batch.facts))

    def refuse(self, refusal: DomainError) -> Pending | None:
        """Let a refusal wait for the facts it rests on; None if they are durable."""
        batch = self.newest()
        if batch is None:
            return None
        self.waiting += 1
        batch.count += 1
        return Pending(batch, (), 0, refusal)

    def newest(self) -> Batch | None:
        """Return the newest batch with facts that are not durable yet."""
        return self._open if self._open.facts else self._inflight

    async def durable(self) -> LogPosition:
        """Wait until all decided facts are durable; return the latest log position.

        Raises:
            CommitFailed: a commit failed, and the writer dropped its memory.
        """
        for batch in (self._in_doubt, self.newest()):
            if batch is not None:
                await batch.durable()
        return self.position

    async def next_resolved(self) -> None:
        """Wait until the next batch resolves."""
        batch = self._inflight or self._open
        await asyncio.wait([batch.durable()])

    # --- committing ---

    def _hand_over(self) -> None:
        self._scheduled = False
        batch = self._open
        if self._inflight is not None or not batch.count:
            return
        self._open = Batch(self._loop)
        if not batch.facts:
            # The batch has no facts: its answers rest on facts that are durable.
            self.waiting -= batch.count
            batch.resolve(self.position + 1)
            return
        batch.rows = self._exchange.take_companions()
        self._inflight = batch
        self._queue.put(batch)

    def _commit_batches(self, log: LogWriter, queue: SimpleQueue[Batch | None]) -> None:
        """Commit in this thread until None comes or the log is lost."""
        while (batch := queue.get()) is not None:
            try:
                first = log.append(batch.facts, batch.rows)
            except LogLost:
                self._loop.call_soon_threadsafe(self.on_lost)
                return
            except BaseException:
                # A defect: fail the waiting clients before the thread ends.
                self._loop.call_soon_threadsafe(self.on_lost)
                raise
            self._loop.call_soon_threadsafe(self._committed, batch, first)

    def _committed(self, batch: Batch, first: LogPosition) -> None:
        if batch.resolved:
            # The writer gave the batch up: its clients have an answer already.
            return
        self.waiting -= batch.count
        locate(batch.unlocated, first=first)
        batch.resolve(first)
        if batch is self._in_doubt:
            self._in_doubt = None
            return
        self._inflight = None
        self._exchange.position = first + len(batch.facts) - 1
        if self._open.count:
            self._hand_over()

    # --- losing the log ---

    def lose(self) -> None:
        """Fail the open batch; the batch in the commit thread is in doubt."""
        lost, self._open = self._open, Batch(self._loop)
        self.waiting -= lost.count
        lost.resolve(LOG_START)
        self._in_doubt, self._inflight = self._inflight, None
        if self._in_doubt is not None:
            self._loop.call_later(DOUBT_SECONDS, self._give_up, self._in_doubt)

    async def resolve_doubt(self, reader: LogReader) -> None:
        """Look for the batch in doubt: the log has all of it, or nothing."""
        batch = self._in_doubt
        if batch is None:
            return
        sent = batch.facts[0]
        fact = await asyncio.to_thread(reader.find, sent.stream, sent.version)
        if fact is not None and fact.event == sent.event:
            self._committed(batch, fact.position)
        else:
            self._give_up(batch)

    def give_up_doubt(self) -> None:
        """Fail the batch in doubt without waiting for the log."""
        if self._in_doubt is not None:
            self._give_up(self._in_doubt)

    def _give_up(self, batch: Batch) -> None:
        if batch.resolved:
            return
        self._in_doubt = None
        self.waiting -= batch.count
        batch.resolve(LOG_START)

"""Commands that become durable together, and the futures of those who wait."""

import asyncio
from collections.abc import Sequence

from commands.answers import Answer, NotHeld
from commands.companions import Companion
from commands.state.exchange import Unlocated
from commands.state.register import Repeated
from domain.errors import CommitFailed, DomainError
from domain.events.register import Recorded
from domain.ids import LOG_START, LogPosition


class Batch:
    """One group commit. It resolves once: durable at a log position, or lost.

    Each waiter has a separate future, so a client that hangs up cancels only its own.
    """

    __slots__ = (
        "_loop",
        "_waiters",
        "count",
        "facts",
        "first",
        "resolved",
        "rows",
        "unlocated",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: list[asyncio.Future[LogPosition]] = []
        self.count = 0
        self.facts: list[Recorded] = []
        self.rows: Sequence[Companion] = ()
        self.unlocated: Unlocated = []
        self.resolved = False
        #: The log position of the first fact; 0 unless the batch is durable.
        self.first = LOG_START

    def durable(self) -> asyncio.Future[LogPosition]:
        """Return a future of the first log position; it may raise CommitFailed."""
        waiter = self._loop.create_future()
        if self.resolved:
            self._wake(waiter)
        else:
            self._waiters.append(waiter)
        return waiter

    def resolve(self, first: LogPosition) -> None:
        """Wake every waiter. `first` is 0 if the log lost the batch."""
        self.first = first
        self.resolved = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                self._wake(waiter)

    def _wake(self, waiter: asyncio.Future[LogPosition]) -> None:
        if self.first:
            waiter.set_result(self.first)
        else:
            waiter.set_exception(CommitFailed())


class Known:
    """A repeated command; the `batch` of the first one may not be durable yet."""

    __slots__ = ("batch", "order_id", "use")

    def __init__(self, repeated: Repeated, batch: Batch | None) -> None:
        self.use = repeated.use
        self.order_id = repeated.order_id
        self.batch = batch


class Pending:
    """A decided command that waits until its batch is durable.

    The last of its facts is the batch's fact number `end`. A refusal waits too: it
    rests on a state that the batch makes durable.
    """

    # Not an untracked struct: a raised refusal refers to this object.
    __slots__ = ("_batch", "_end", "facts", "refusal")

    def __init__(
        self,
        batch: Batch,
        facts: Sequence[Recorded],
        end: int,
        refusal: DomainError | None = None,
    ) -> None:
        self._batch = batch
        self.facts = facts
        self._end = end
        self.refusal = refusal

    async def answer(self) -> Answer:
        """Wait until the command is durable.

        Raises:
            DomainError: the command was refused.
            CommitFailed: the commit failed; the client may send the command again.
        """
        first = await self._batch.durable()
        refusal = self.refusal
        if refusal is not None:
            if isinstance(refusal, NotHeld):
                refusal.position = first + len(self._batch.facts) - 1
            raise refusal
        return Answer(first + self._end - 1, self.facts)

"""Commands that become durable together, and the futures that wait for that."""

import asyncio
from collections.abc import Sequence

from commands.answers import Answer, NotHeld
from commands.companions import Companion
from commands.state.exchange import Unlocated
from commands.state.register import Use
from domain.errors import CommitFailed, DomainError
from domain.events.register import Recorded
from domain.ids import LogPosition


class Batch:
    """One group commit. It resolves once: durable at a log position, or not at all.

    Each waiter has a future alone: a client that hangs up cancels its own future only.
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
        self.first: LogPosition = 0

    def durable(self) -> asyncio.Future[LogPosition]:
        """Return the first fact's log position to come; it may raise CommitFailed."""
        waiter = self._loop.create_future()
        if self.resolved:
            self._wake(waiter)
        else:
            self._waiters.append(waiter)
        return waiter

    def resolve(self, first: LogPosition) -> None:
        """Wake every waiter. `first` is 0 if the log does not have the batch."""
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
    """A command that was carried out before; `batch` may not be durable yet."""

    __slots__ = ("batch", "use")

    def __init__(self, use: Use, batch: Batch | None) -> None:
        self.use = use
        self.batch = batch


class Pending:
    """A command that was decided in memory and waits for its batch to be durable.

    Its facts are the batch's facts up to `end`. A refusal waits too: it rests on a
    state that the batch makes durable.
    """

    # Tracked by the garbage collector: a raised refusal refers to this frame's objects.
    __slots__ = ("_batch", "_end", "_facts", "refusal")

    def __init__(
        self,
        batch: Batch,
        facts: Sequence[Recorded],
        end: int,
        refusal: DomainError | None = None,
    ) -> None:
        self._batch = batch
        self._facts = facts
        self._end = end
        self.refusal = refusal

    async def answer(self) -> Answer:
        """Wait until the command is durable.

        Raises:
            DomainError: the command was refused.
            CommitFailed: it is not durable; the same command may be sent again.
        """
        first = await self._batch.durable()
        refusal = self.refusal
        if refusal is not None:
            if isinstance(refusal, NotHeld):
                refusal.position = first + len(self._batch.facts) - 1
            raise refusal
        return Answer(first + self._end - 1, self._facts)

"""Commands decided by a writer of this process, whose event loop runs on demand.

The writer decides a command at once, in memory. The loop runs for the commits: after
every `GROUP` commands, and at the end. So many commands share a commit.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import TypeAlias

from commands.messages import Command
from commands.ports import EventStore
from commands.writer.batch import Pending
from commands.writer.writer import Writer
from domain.errors import DomainError
from domain.events.register import AnyEvent
from domain.ids import Symbol
from domain.market.price_levels import BookSide
from infra.access.temporary_writer import temporary_writer
from infra.replay.orderflow import Levels
from infra.replay.venue import Refused

#: The loop runs after this many decisions; the answers of older ones are awaited then.
GROUP = 250
#: Called with the facts of a command when they are durable.
Durable: TypeAlias = Callable[[Sequence[AnyEvent]], None]


class Decisions:
    """The writer, and the decisions that are not durable yet, oldest first."""

    def __init__(self, runner: asyncio.Runner, writer: Writer) -> None:
        self._runner = runner
        self._writer = writer
        self._waiting: deque[tuple[Pending, Durable | None]] = deque()

    def execute(self, command: Command) -> None:
        """Carry out a command and wait until it is durable.

        Raises:
            DomainError: the writer refused it, or could not make it durable.
        """
        self._runner.run(self._writer.execute(command))

    def decide(
        self, command: Command, durable: Durable | None = None
    ) -> Refused | None:
        """Carry out a command in memory.

        Raises:
            DomainError: an earlier command could not be made durable.
        """
        try:
            pending = self._writer.submit(command)
        except DomainError as refusal:
            return Refused(f"{refusal}")
        # A refusal is final, although the state that it rests on is not durable yet.
        if pending.refusal is not None:
            return Refused(f"{pending.refusal}")
        self._waiting.append((pending, durable))
        if not len(self._waiting) % GROUP:
            self._runner.run(self._await_answers(GROUP))
        return None

    def finish(self) -> None:
        """Wait until every decision is durable."""
        self._runner.run(self._await_answers(0))

    async def _await_answers(self, leave: int) -> None:
        # The commit of the decisions that are left goes on while the next are made.
        while len(self._waiting) > leave:
            pending, durable = self._waiting.popleft()
            answer = await pending.answer()
            if durable is not None:
                durable([each.event for each in answer.facts])

    def top(self, symbol: Symbol, depth: int) -> tuple[Levels, Levels]:
        """Return the best asks and bids of the book in the writer's memory."""
        book = self._writer.exchange.market(symbol).book
        return _best(book.asks, depth), _best(book.bids, depth)


def _best(side: BookSide, depth: int) -> Levels:
    best_first = side.keys[: -depth - 1 : -1]
    return tuple([(side.sign * key, side.levels[key].quantity) for key in best_first])


@contextmanager
def own_decisions(store: EventStore) -> Generator[Decisions]:
    """Lead on a log with a writer of this process.

    Raises:
        NoLease: another process leads on this database.
    """
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        try:
            writer = runner.run(stack.enter_async_context(temporary_writer(store)))
            yield Decisions(runner, writer)
        finally:
            runner.run(stack.aclose())

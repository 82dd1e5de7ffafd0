"""Carries on what takes more than one slice: a cancel-all, a day roll.

Between two slices the writer decides other commands. The next slice waits until the one
before it is durable: so a commit has one slice at most, and nobody waits for more. Each
piece of work gets one slice in turn.
"""

import asyncio
from collections.abc import Callable, Sequence

from commands.answers import Answer
from commands.handlers.slices import Slices, slices_of_cancel_all, slices_of_day_roll
from commands.messages import CancelAllOrders, Command, RollDay
from commands.ports import Clock
from commands.state.exchange import Exchange
from commands.writer.batch import Pending
from domain.accounts.wallet import Wallet
from domain.errors import Busy, NotLeading, Unavailable
from domain.events.market import DayRollBegan, OrderCanceled
from domain.events.register import Recorded
from domain.events.wallet import CancelAllAccepted
from domain.ids import LOG_START, LogPosition, Stream
from domain.market.market import Market

#: The commands that may begin work in slices.
MAY_BEGIN: frozenset[type[Command]] = frozenset({CancelAllOrders, RollDay})
_BEGINNINGS = (CancelAllAccepted, DayRollBegan)
#: The pause of a slice that met a full queue.
BUSY_SECONDS = 0.01


class Work:
    """What is left of one accepted command, and what it canceled so far."""

    __slots__ = ("canceled", "ended", "failed", "position", "slices")

    def __init__(self, slices: Slices) -> None:
        self.slices = slices
        self.canceled: list[Recorded] = []
        self.position: LogPosition = LOG_START
        self.ended = asyncio.Event()
        self.failed = False


class PendingWork(Pending):
    """A command that was accepted and waits until its last slice is durable."""

    __slots__ = ("_accepted", "_work")

    def __init__(self, accepted: Pending, work: Work) -> None:
        self._accepted = accepted
        self._work = work
        self.facts = accepted.facts
        self.refusal = None

    async def answer(self) -> Answer:
        """Wait for the last slice; return the cancels of all slices.

        Raises:
            NotLeading: the writer lost the lead. The next leader carries the work on.
        """
        await self._accepted.answer()
        work = self._work
        await work.ended.wait()
        if work.failed:
            raise NotLeading(standby=False)
        return Answer(work.position, work.canceled)


class SliceRunner:
    """All work in slices of the state that this writer leads with."""

    def __init__(
        self,
        submit: Callable[[Command], Pending],
        clock: Clock,
        abandon: Callable[[], None],
    ) -> None:
        self._submit = submit
        self._clock = clock
        #: Ends the lead, which calls `stop`. Does nothing if it has ended.
        self._abandon = abandon
        self._unfinished: dict[Stream, Work] = {}
        #: Streams whose work met a defect. Another try would end the lead again.
        self._given_up: set[Stream] = set()
        self._task: asyncio.Task[None] | None = None

    def resume(self, exchange: Exchange) -> None:
        """Carry on the work that an earlier leader left unfinished."""
        for wallet in exchange.wallets.values():
            if wallet.cancel_all is not None and wallet.stream not in self._given_up:
                self._begin(exchange, wallet.stream)
        for market in exchange.markets.values():
            if market.roll is not None and market.stream not in self._given_up:
                self._begin(exchange, market.stream)

    def accepted(
        self, exchange: Exchange, pending: Pending, facts: Sequence[Recorded]
    ) -> Pending:
        """Return the pending command itself, or with the slices that it began."""
        if not facts or not isinstance(facts[0].event, _BEGINNINGS):
            return pending
        # New work: an earlier one that met a defect was finished by another server.
        self._given_up.discard(facts[0].stream)
        return PendingWork(pending, self._begin(exchange, facts[0].stream))

    async def idle(self, stream: Stream) -> None:
        """Wait until no work of this stream is in progress."""
        while (work := self._unfinished.get(stream)) is not None:
            await work.ended.wait()

    def stop(self) -> None:
        """Stop, and fail the commands that wait: the state is not this writer's."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        unfinished, self._unfinished = self._unfinished, {}
        for work in unfinished.values():
            work.failed = True
            work.ended.set()

    def _begin(self, exchange: Exchange, stream: Stream) -> Work:
        aggregate, now = exchange.streams[stream], self._clock.now
        if isinstance(aggregate, Wallet):
            slices = slices_of_cancel_all(exchange, aggregate, now)
        else:
            assert isinstance(aggregate, Market)
            slices = slices_of_day_roll(aggregate, now)
        work = self._unfinished[stream] = Work(slices)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return work

    async def _run(self) -> None:
        task = self._task
        while self._unfinished:
            for stream, work in list(self._unfinished.items()):
                await self._carry_on(stream, work)
                # After `stop`, the work that is left belongs to another state.
                if self._task is not task:
                    return
        self._task = None

    async def _carry_on(self, stream: Stream, work: Work) -> None:
        """Decide one slice and wait until it is durable."""
        try:
            command = next(work.slices)
            if command is None:
                await asyncio.sleep(0)
                return
            answer = await (await self._decide(command)).answer()
        except Unavailable:
            self.stop()
            return
        except Exception:
            self._given_up.add(stream)
            self._abandon()
            raise
        work.position = answer.position
        cancels = (each for each in answer.facts if type(each.event) is OrderCanceled)
        work.canceled += cancels
        if command.last:
            del self._unfinished[stream]
            work.ended.set()

    async def _decide(self, command: Command) -> Pending:
        while True:
            try:
                return self._submit(command)
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)

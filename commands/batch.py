"""Commands that become durable together, and whoever waits for that."""

import asyncio

from commands.exchange import Unlocated
from domain.errors import CommitFailed
from domain.events.register import Recorded
from domain.ids import LogPosition


class Batch:
    """One group commit.

    Each waiter has a future of its own: one that is canceled, because its client hung
    up, must not cancel the others. That is also cheaper than shielding a shared one.
    """

    __slots__ = (
        "_loop",
        "_waiters",
        "count",
        "events",
        "first",
        "settled",
        "unlocated",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: list[asyncio.Future[LogPosition]] = []
        self.count = 0
        self.events: list[Recorded] = []
        self.unlocated: Unlocated = []
        self.settled = False
        #: The log position of the first event, 0 where it was not committed.
        self.first: LogPosition = 0

    def committed(self) -> asyncio.Future[LogPosition]:
        """Tells the log position of the first event, or raises CommitFailed."""
        waiter = self._loop.create_future()
        if self.settled:
            self._tell(waiter)
        else:
            self._waiters.append(waiter)
        return waiter

    def settle(self, first: LogPosition) -> None:
        """Tell everybody where the batch stands in the log; 0: nowhere."""
        self.first = first
        self.settled = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                self._tell(waiter)

    def _tell(self, waiter: asyncio.Future[LogPosition]) -> None:
        if self.first:
            waiter.set_result(self.first)
        else:
            waiter.set_exception(CommitFailed())

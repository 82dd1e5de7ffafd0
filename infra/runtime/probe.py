"""Questions to parts of the server that may hang."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Probe(Generic[T]):
    """A question that every caller waits for only so long.

    While a question is open, callers share it. So a part that hangs keeps one question
    waiting, and one thread if the question needs a thread.
    """

    def __init__(
        self, question: Callable[[], Awaitable[T | None]], *, seconds: float
    ) -> None:
        self._question = question
        self._seconds = seconds
        self._open: asyncio.Future[T | None] | None = None

    async def ask(self) -> T | None:
        """Return the answer, or None if it does not come in time."""
        if self._open is None or self._open.done():
            self._open = asyncio.ensure_future(self._question())
        asked = self._open
        done, _ = await asyncio.wait([asked], timeout=self._seconds)
        return asked.result() if done else None

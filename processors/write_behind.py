"""A store that takes the next batch while it still writes the one before it."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from processors.host import Overtaken
from projections.store import Answer, BatchStore, Message, Request, Step


class WriteBehind:
    """A `BatchStore` for filling. Folding and writing then each have a core.

    A write is said to be done when the one before it is; leaving the block waits for
    the last one. Nothing is read while something is being written.

    Raises:
        Overtaken: a write was refused, told by the next call or when the block ends.
    """

    def __init__(self, store: BatchStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._written: Future[bool] | None = None

    def read(self, requests: Sequence[Request]) -> list[Answer | None]:
        self._settle()
        return self._store.read(requests)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        self._settle()
        self._written = self._thread.submit(self._store.write, steps, messages)
        return True

    def _settle(self) -> None:
        written, self._written = self._written, None
        if written is not None and not written.result():
            raise Overtaken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
        if kind is None:
            self._settle()

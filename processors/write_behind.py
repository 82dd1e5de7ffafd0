"""A store wrapper that accepts the next batch while it writes the previous one."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from processors.follower import Overtaken
from projections.store import BatchStore, Message, ReadResult, Request, Step


class WriteBehind:
    """A `BatchStore` for filling, so that folding and writing use one core each.

    `write` returns when the previous write is done. The end of the `with` block waits
    for the last write. A read waits for the write in progress.

    Raises:
        Overtaken: the store refused a write. The next call or the end of the block
            raises it.
    """

    def __init__(self, store: BatchStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._written: Future[bool] | None = None

    def read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        """Wait for the write in progress, then read."""
        self._settle()
        return self._store.read(requests)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        """Wait for the write in progress, then start this one and return True."""
        self._settle()
        self._written = self._thread.submit(self._store.write, steps, messages)
        return True

    def _settle(self) -> None:
        written, self._written = self._written, None
        if written is not None and not written.result():
            raise Overtaken("the read models are not as they were left")

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

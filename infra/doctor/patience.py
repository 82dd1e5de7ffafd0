"""Questions to what may hang: a thread asks, and the caller waits only so long."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from infra.doctor.finding import NoAnswer

T = TypeVar("T")


class Asked(Generic[T]):
    """A question that a daemon thread puts; the thread of a hanging one is left."""

    def __init__(self, question: Callable[[], T]) -> None:
        self._question = question
        self._answers: list[T] = []
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._question())
        except BaseException as reason:  # noqa: BLE001 - raised again by `answer`
            self._failures.append(reason)

    def answer(self, seconds: float) -> T:
        """Return the answer or raise its error. Raises NoAnswer after `seconds`."""
        self._thread.join(seconds)
        if self._failures:
            raise self._failures[0]
        if not self._answers:
            raise NoAnswer(f"no answer within {seconds:g} s")
        return self._answers[0]

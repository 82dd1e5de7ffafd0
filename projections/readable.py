"""Rows that a query cannot decode: the view is damaged, and its name is reported.

>>> from projections.store import ReadResult, View
>>> answer = ReadResult(checkpoint=7, generation="1-a", replies=[[b"garbage"]])
>>> with decoding(View("books"), answer):
...     int(answer.replies[0][0])
Traceback (most recent call last):
projections.readable.Unreadable: the view books has rows that cannot be read
"""

from types import TracebackType

import msgspec

from projections.store import Generation, ReadResult, View

#: What code raises on rows that are missing or not its own.
UNREADABLE = (
    msgspec.MsgspecError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class Unreadable(Exception):
    """The live generation of a view has rows that a query cannot decode."""

    def __init__(self, view: View, generation: Generation, reason: Exception) -> None:
        super().__init__(f"the view {view.name} has rows that cannot be read")
        self.view = view
        self.generation = generation
        self.reason = reason


class decoding:  # noqa: N801 - it reads as a statement: `with decoding(VIEW, answer):`
    """Raises Unreadable if the block cannot decode the rows of an answer.

    A row that is missing counts, too: decode the None. The block must do nothing else.
    """

    __slots__ = ("_answer", "_view")

    def __init__(self, view: View, answer: ReadResult) -> None:
        self._view = view
        self._answer = answer

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, UNREADABLE):
            raise Unreadable(self._view, self._answer.generation, error) from error

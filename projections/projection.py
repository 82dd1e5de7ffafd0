"""How facts become rows: a table from fact types to folds, rows cached by their id.

A projection is pure: it asks for the rows that a batch of facts touches, folds the
facts into them, and names the changes to store. What it stores is a function of the log
alone, wherever the batches were cut.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

import msgspec

from domain.events.event import Event
from domain.events.register import Fact
from projections.store import (
    Change,
    Message,
    PutRows,
    Read,
    ReadRows,
    Reply,
    View,
    encoded,
)

P = TypeVar("P")
E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=msgspec.Struct)
#: Rows of one hash that are kept decoded at least, while they are used.
ROWS_KEPT = 100_000

Fold = Callable[[P, E, Fact], None]
BoundFold = Callable[[Any, Fact], None]


def needs(*types: type[E]) -> Callable[[Fold[P, E]], Fold[P, E]]:
    """Mark the method that names the rows which facts of these types touch."""
    return _marker("needed_for", types)


def on(*types: type[E]) -> Callable[[Fold[P, E]], Fold[P, E]]:
    """Mark the method that folds facts of these types."""
    return _marker("folds", types)


def _marker(
    attribute: str, types: tuple[type[Event], ...]
) -> Callable[[Fold[P, E]], Fold[P, E]]:
    def mark(method: Fold[P, E]) -> Fold[P, E]:
        setattr(method, attribute, types)
        return method

    return mark


class Table(Protocol):
    """Rows of a read model that its projection works on, read once and kept."""

    def wanted(self) -> Iterable[Read]:
        """Name what to read before the batch is folded."""
        ...

    def load(self, replies: Iterator[Reply]) -> None:
        """Take one reply for each read that `wanted` named."""
        ...

    def changes(self) -> Iterable[Change]:
        """Name what the batch changed, once."""
        ...

    def start(self, *, empty: bool) -> None:
        """Forget everything. If `empty`, the store has nothing yet."""
        ...


class Projection:
    """One read model's fold. Subclasses mark methods with `needs` and `on`."""

    view: ClassVar[View]

    def __init__(self, *tables: Table) -> None:
        self._tables = tables
        self._needs = self._marked("needed_for")
        self._folds = self._marked("folds")

    def _marked(self, attribute: str) -> dict[type[Event], BoundFold]:
        found: dict[type[Event], BoundFold] = {}
        for name, method in vars(type(self)).items():
            for event_type in getattr(method, attribute, ()):
                assert event_type not in found, f"{event_type} is folded twice"
                found[event_type] = cast(BoundFold, getattr(self, name))
        return found

    def start(self, *, empty: bool) -> None:
        for table in self._tables:
            table.start(empty=empty)

    def wanted(self, facts: Sequence[Fact]) -> list[Read]:
        needs = self._needs
        for fact in facts:
            event = fact.event
            if (need := needs.get(type(event))) is not None:
                need(event, fact)
        return list(chain.from_iterable(each.wanted() for each in self._tables))

    def load(self, replies: Sequence[Reply]) -> None:
        iterator = iter(replies)
        for table in self._tables:
            table.load(iterator)

    def fold(self, facts: Sequence[Fact]) -> None:
        folds = self._folds
        for fact in facts:
            event = fact.event
            if (fold := folds.get(type(event))) is not None:
                fold(event, fact)

    def changes(self) -> list[Change]:
        """Name what to store. Call it once for each batch, before `messages`."""
        return list(chain.from_iterable(each.changes() for each in self._tables))

    def messages(self) -> list[Message]:
        """Return what to publish together with the changes."""
        return []


class Rows(Generic[R]):
    """The rows of one table, decoded, the recently used ones kept.

    Two dicts make the cache. A row that is used moves to the young one. A full young
    one becomes the old one, and the old one is forgotten. As long as nothing has been
    forgotten since the table was empty, a row that is not here does not exist.
    """

    def __init__(self, table: str, row_type: type[R]) -> None:
        self._table = table
        self._decode = msgspec.json.Decoder(row_type).decode
        self.start(empty=False)

    def start(self, *, empty: bool) -> None:
        self._young: dict[str, R] = {}
        self._old: dict[str, R] = {}
        self._dirty: dict[str, R] = {}
        self._wanted: dict[str, None] = {}
        self._asked: list[str] = []
        self._complete = empty

    def want(self, row_id: str) -> None:
        """Say that the batch touches this row, which may not exist."""
        if row_id in self._young:
            return
        row = self._old.pop(row_id, None)
        if row is not None:
            self._young[row_id] = row
        elif not self._complete:
            self._wanted[row_id] = None

    def wanted(self) -> Iterator[Read]:
        self._asked = list(self._wanted)
        self._wanted = {}
        if self._asked:
            yield ReadRows(self._table, self._asked)

    def load(self, replies: Iterator[Reply]) -> None:
        if not self._asked:
            return
        for row_id, value in zip(self._asked, next(replies), strict=True):
            if value is not None:
                self._young[row_id] = self._decode(value)

    def get(self, row_id: str) -> R | None:
        """The row as it is now, if there is one. It must have been wanted."""
        return self._young.get(row_id)

    def put(self, row_id: str, row: R) -> None:
        self._young[row_id] = self._dirty[row_id] = row

    def change(self, row_id: str) -> R:
        """The row, which must exist, and which the caller is about to change."""
        row = self._dirty[row_id] = self._young[row_id]
        return row

    def changed(self) -> Iterable[tuple[str, R]]:
        """The rows that the batch has changed so far."""
        return self._dirty.items()

    def changes(self) -> Iterator[Change]:
        rows = {row_id: encoded(row) for row_id, row in self._dirty.items()}
        self._dirty = {}
        if len(self._young) > ROWS_KEPT:
            self._complete = self._complete and not self._old
            self._old, self._young = self._young, {}
        if rows:
            yield PutRows(self._table, rows)

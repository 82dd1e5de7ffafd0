"""The base of all projections, which turn facts into rows.

A projection is pure. It names the rows that a batch of facts touches, folds the facts
into them, and names the changes to store. The stored rows depend on the log alone, not
on how the log is cut into batches.
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
#: The cache keeps at least this many recently used rows of a table decoded.
ROWS_KEPT = 100_000

Fold = Callable[[P, E, Fact], None]
BoundFold = Callable[[Any, Fact], None]


def needs(*types: type[E]) -> Callable[[Fold[P, E]], Fold[P, E]]:
    """Mark the method that names the rows touched by facts of these types."""
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
    """The rows of a read model that its projection reads once and caches."""

    def wanted(self) -> Iterable[Read]:
        """Return the reads that the batch needs before it is folded."""
        ...

    def load(self, replies: Iterator[Reply]) -> None:
        """Accept one reply for each read that `wanted` returned."""
        ...

    def changes(self) -> Iterable[Change]:
        """Return what the batch changed. A second call returns nothing."""
        ...

    def start(self, *, empty: bool) -> None:
        """Clear all caches. `empty` says that the store holds no rows yet."""
        ...


class Projection:
    """The fold of one read model. Subclasses mark methods with `needs` and `on`."""

    view: ClassVar[View]

    def __init__(self, *tables: Table) -> None:
        self._tables = tables
        self._needs = self._marked("needed_for")
        self._folds = self._marked("folds")

    def _marked(self, attribute: str) -> dict[type[Event], BoundFold]:
        methods: dict[type[Event], BoundFold] = {}
        for name, method in vars(type(self)).items():
            for event_type in getattr(method, attribute, ()):
                assert event_type not in methods, f"{event_type} is folded twice"
                methods[event_type] = cast(BoundFold, getattr(self, name))
        return methods

    def start(self, *, empty: bool) -> None:
        """Clear all caches. `empty` says that the store holds no rows yet."""
        for table in self._tables:
            table.start(empty=empty)

    def wanted(self, facts: Sequence[Fact]) -> list[Read]:
        """Return the reads that these facts need before `fold`."""
        needs = self._needs
        for fact in facts:
            event = fact.event
            if (need := needs.get(type(event))) is not None:
                need(event, fact)
        return list(chain.from_iterable(each.wanted() for each in self._tables))

    def load(self, replies: Sequence[Reply]) -> None:
        """Pass the replies on to the tables, in the order of `wanted`."""
        iterator = iter(replies)
        for table in self._tables:
            table.load(iterator)

    def fold(self, facts: Sequence[Fact]) -> None:
        """Apply the facts to the cached rows. Facts of other types are skipped."""
        folds = self._folds
        for fact in facts:
            event = fact.event
            if (fold := folds.get(type(event))) is not None:
                fold(event, fact)

    def changes(self) -> list[Change]:
        """Return the changes to store. Call once for each batch, before `messages`."""
        return list(chain.from_iterable(each.changes() for each in self._tables))

    def messages(self) -> list[Message]:
        """Return the messages to publish together with the changes."""
        return []


class Rows(Generic[R]):
    """The decoded rows of one table, with a cache of recently used ones.

    The cache has a young and an old dict. A row that is used moves to the young dict. A
    full young dict replaces the old one, whose rows are evicted. Until the first
    eviction after an empty start, a row that is not cached does not exist.
    """

    def __init__(self, table: str, row_type: type[R]) -> None:
        self._table = table
        self._decode = msgspec.json.Decoder(row_type).decode
        self.start(empty=False)

    def start(self, *, empty: bool) -> None:
        """Clear the cache. `empty` says that the table holds no rows yet."""
        self._young: dict[str, R] = {}
        self._old: dict[str, R] = {}
        self._dirty: dict[str, R] = {}
        self._wanted: dict[str, None] = {}
        self._asked: list[str] = []
        self._complete = empty

    def want(self, row_id: str) -> None:
        """Request a row that the batch touches. The row may not exist."""
        if row_id in self._young:
            return
        row = self._old.pop(row_id, None)
        if row is not None:
            self._young[row_id] = row
        elif not self._complete:
            self._wanted[row_id] = None

    def wanted(self) -> Iterator[Read]:
        """Yield one read for all requested rows that are not cached."""
        self._asked = list(self._wanted)
        self._wanted = {}
        if self._asked:
            yield ReadRows(self._table, self._asked)

    def load(self, replies: Iterator[Reply]) -> None:
        """Decode and cache the rows that `wanted` read."""
        if not self._asked:
            return
        for row_id, value in zip(self._asked, next(replies), strict=True):
            if value is not None:
                self._young[row_id] = self._decode(value)

    def get(self, row_id: str) -> R | None:
        """Return the current row, or None. The row must have been requested."""
        return self._young.get(row_id)

    def put(self, row_id: str, row: R) -> None:
        """Store a new row, or replace the one under this id."""
        self._young[row_id] = self._dirty[row_id] = row

    def change(self, row_id: str) -> R:
        """Return an existing row for the caller to change, and mark it as changed."""
        row = self._dirty[row_id] = self._young[row_id]
        return row

    def changed(self) -> Iterable[tuple[str, R]]:
        """Return the ids and rows that the batch has changed so far."""
        return self._dirty.items()

    def changes(self) -> Iterator[Change]:
        """Yield the changed rows, then evict old rows if the cache is full."""
        rows = {row_id: encoded(row) for row_id, row in self._dirty.items()}
        self._dirty = {}
        if len(self._young) > ROWS_KEPT:
            self._complete = self._complete and not self._old
            self._old, self._young = self._young, {}
        if rows:
            yield PutRows(self._table, rows)

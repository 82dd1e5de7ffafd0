"""What a read model needs from its store: rows, collections, and atomic writes.

A read model keeps tables, which map keys to rows. It also keeps collections, which
order members by an integer score. A projection describes changes with the structs
below. Each store carries out those changes in its own way: Redis as commands on keys,
Postgres as SQL on tables.

The store separates the generations of a read model and knows which one is live. Each
read looks up the live generation in the same atomic step. So no reader can see a
generation that is half filled or abandoned.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from domain.ids import LOG_START, LogPosition

#: One score and one member. A score is exact below 2**53.
Entry: TypeAlias = tuple[int, str]
#: The values that one read returns, None for each missing value.
Reply: TypeAlias = list[bytes | None]
#: A channel and the body to publish on it.
Message: TypeAlias = tuple[str, str]
#: `{layout}-{id}`; every filling has a new id.
Generation: TypeAlias = str

#: The channel on which a store announces the log positions of its read models.
APPLIED = "bourse:applied"


class PutRows(msgspec.Struct, frozen=True, gc=False):
    """Rows to store. They replace rows under the same keys."""

    table: str
    rows: Mapping[str, str]


class DeleteRows(msgspec.Struct, frozen=True, gc=False):
    """Keys of rows to remove. A key without a row is skipped."""

    table: str
    keys: Sequence[str]


class AddEntries(msgspec.Struct, frozen=True, gc=False):
    """Entries to add. Their members must not be in the collection yet."""

    collection: str
    entries: Sequence[Entry]


class RemoveEntries(msgspec.Struct, frozen=True, gc=False):
    """Entries to remove. An entry that is not in the collection is skipped."""

    collection: str
    entries: Sequence[Entry]


class RemoveFrom(msgspec.Struct, frozen=True, gc=False):
    """Removes the entries with this score or a higher one."""

    collection: str
    score: int


class KeepHighest(msgspec.Struct, frozen=True, gc=False):
    """Removes all entries except the `count` highest."""

    collection: str
    count: int


#: A store carries out the changes of one step in order.
Change: TypeAlias = (
    PutRows | DeleteRows | AddEntries | RemoveEntries | RemoveFrom | KeepHighest
)


class ReadRows(msgspec.Struct, frozen=True, gc=False):
    """Reads the rows under these keys, in the order of the keys."""

    table: str
    keys: Sequence[str]


class ReadAllRows(msgspec.Struct, frozen=True, gc=False):
    """Reads all rows of a table: alternating keys and rows, in no order."""

    table: str


class ReadLowest(msgspec.Struct, frozen=True, gc=False):
    """Reads the members with the lowest scores, lowest first.

    A `count` of 0 means all. Here and below, entries with equal scores are ordered by
    the bytes of their members.
    """

    collection: str
    count: int


class ReadHighest(msgspec.Struct, frozen=True, gc=False):
    """Reads the members with the highest scores, highest first.

    A `count` of 0 means all.
    """

    collection: str
    count: int


class ReadBetween(msgspec.Struct, frozen=True, gc=False):
    """Reads alternating members and scores between two exclusive score bounds."""

    collection: str
    after: int | None
    until: int | None
    highest_first: bool
    count: int


class ReadScores(msgspec.Struct, frozen=True, gc=False):
    """Reads the score of each entry's member, None if there is no such entry.

    If the stored score differs from the entry's, a store may return the stored score or
    None.
    """

    collection: str
    entries: Sequence[Entry]


class ReadListed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Reads the rows of `table` that the entries of several collections list.

    The first word of a member is the key of its row. The collections are merged by
    score and member. `words` has the allowed words after the first one, place by place;
    an empty set allows every word. A place that a member does not have is not checked.
    Up to `count` rows are returned.
    """

    collections: Sequence[str]
    table: str
    after: int | None
    until: int | None
    highest_first: bool
    count: int
    words: Sequence[Sequence[str]] = ()


class ReadReferred(msgspec.Struct, frozen=True, gc=False):
    """Reads the rows of `table` whose keys are the rows of `index` under these keys.

    A row that the index names but that does not exist is empty: the view is damaged.
    """

    index: str
    table: str
    keys: Sequence[str]


Read: TypeAlias = (
    ReadRows
    | ReadAllRows
    | ReadLowest
    | ReadHighest
    | ReadBetween
    | ReadScores
    | ReadListed
    | ReadReferred
)


class StoreDown(Exception):
    """The store does not answer. The last write may or may not have happened."""


class ViewUnavailable(Exception):
    """A read model has no live generation: it is being filled from the log."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the view {name} is being filled from the log")
        self.name = name


class Home(StrEnum):
    """The store that keeps a read model: the fast one, or the one that grows."""

    LIVE = "live"
    HISTORY = "history"


class View(msgspec.Struct, frozen=True):
    """A read model's name, the version of the layout of its rows, and its home.

    Raise `layout` when the layout changes: the runner then fills a new generation.
    """

    name: str
    layout: int = 1
    home: Home = Home.LIVE


class Place(msgspec.Struct, frozen=True):
    """One generation of a read model, and the log position that it has reached."""

    generation: Generation
    checkpoint: LogPosition


class Request(msgspec.Struct, frozen=True):
    """Reads from one read model. An empty `generation` means the live one."""

    view: View
    reads: Sequence[Read]
    generation: Generation = ""


class ReadResult(msgspec.Struct, frozen=True):
    """One reply for each read, in order, all at one log position."""

    checkpoint: LogPosition
    generation: Generation
    replies: list[Reply]


class Step(msgspec.Struct, frozen=True):
    """One read model's part of a write, from one checkpoint to the next.

    `live` says whether the generation must be the live one or must not be.
    """

    view: View
    generation: Generation
    expected: LogPosition | None
    reached: LogPosition
    live: bool
    changes: Sequence[Change]


class BatchStore(Protocol):
    """The store methods that applying a batch needs. Both may raise StoreDown."""

    def read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        """Answer all requests in one atomic step; None for a missing generation."""
        ...

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        """Apply all steps and publish the messages, atomically.

        Return False and change nothing if any step's expectation is wrong.
        """
        ...


class Store(BatchStore, Protocol):
    """The synchronous store, for hosts. Every method may raise StoreDown."""

    def switch(self, view: View, place: Place) -> bool:
        """Make a generation live. Return whether this happened.

        A generation behind the live one is refused.
        """
        ...

    def retire(self, view: View, generation: Generation) -> None:
        """Unset the live generation: the view is unavailable from then on."""
        ...

    def generations(self, view: View) -> list[Generation]:
        """Return every generation of a view that has anything left in the store."""
        ...

    def tables(self, view: View, generation: Generation) -> Iterator[str]:
        """Return the names of a generation's tables, each at least once."""
        ...

    def collections(self, view: View, generation: Generation) -> Iterator[str]:
        """Return the names of a generation's collections, each at least once."""
        ...

    def keys(
        self, view: View, generation: Generation, table: str
    ) -> Iterator[list[bytes]]:
        """Yield the keys of a table's rows in pages, each key at least once."""
        ...

    def entries(
        self, view: View, generation: Generation, collection: str
    ) -> Iterator[list[tuple[int, bytes]]]:
        """Yield the entries of a collection in pages, each entry at least once."""
        ...

    def drop(self, view: View, generation: Generation) -> bool:
        """Remove a generation, or a part if it is large, unless it is live.

        Return whether nothing is left to remove.
        """
        ...


class Views(Protocol):
    """The asynchronous store, for queries."""

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        """Answer all reads at one log position.

        Raises:
            ViewUnavailable: the read model is being filled; retry in a moment.
            StoreDown: the store does not answer.
        """
        ...

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        """Answer requests to several read models in one atomic step.

        All answers share one log position: a read model that is behind the others is
        unavailable. Raises the same errors as `read`.
        """
        ...


class LiveViews(Views, Protocol):
    """The asynchronous store of a server, whose queries may meet damaged rows."""

    async def retire(self, view: View, generation: Generation) -> None:
        """Unset the live generation: the runner fills another one from the log.

        Raises:
            StoreDown: the store does not answer.
        """
        ...


class AppliedPositions(Protocol):
    """The log positions that the live read models have reached."""

    async def reach(
        self, position: LogPosition, names: Iterable[str], seconds: float
    ) -> bool:
        """Wait until the named read models show `position`.

        Return False if they do not reach it in time.
        """
        ...

    async def positions(self) -> dict[str, LogPosition | None]:
        """Return the log position of each read model, None if it is being filled.

        Raises:
            StoreDown: the store does not answer.
        """
        ...


def available(
    requests: Sequence[Request], answers: Sequence[ReadResult | None]
) -> list[ReadResult]:
    """Return the answers. Raise ViewUnavailable if one is missing or behind others."""
    live: list[ReadResult] = []
    newest = max((each.checkpoint for each in answers if each), default=LOG_START)
    for request, answer in zip(requests, answers, strict=True):
        if answer is None or answer.checkpoint < newest:
            raise ViewUnavailable(request.view.name)
        live.append(answer)
    return live


def encoded(value: object) -> str:
    """Encode a row or a message as JSON, which people can read."""
    return _encode(value).decode()


_encode = msgspec.json.Encoder().encode


def applied_message(
    position: LogPosition, generations: Mapping[str, Generation]
) -> Message:
    """Return the message that announces the log position of these read models."""
    body = {"position": position, "generations": generations}
    return APPLIED, encoded(body)


def present(reply: Reply) -> list[bytes]:
    """Return the values that are not None."""
    return [value for value in reply if value is not None]


def in_pairs(reply: Reply) -> Iterator[tuple[bytes, bytes]]:
    """Pair keys with rows, or members with scores."""
    words = iter(present(reply))
    return zip(words, words, strict=True)

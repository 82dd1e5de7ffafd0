"""What a read model needs from its store: rows, ordered collections, one atomic write.

A read model keeps named tables of rows, each row under its key, and named collections
of entries, each a member under an integer score. A projection names the changes to
them as the structs below. Each store carries those out in its own way: Redis as
commands on keys, Postgres as SQL on tables.

The store keeps the generations of a read model apart and knows which one is live. It
looks the live one up within the same atomic step as the read, so that no reader can
meet a generation that is half filled or abandoned.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from domain.ids import LogPosition

#: One score and one member. A score is exact below 2**53.
Entry: TypeAlias = tuple[int, str]
#: What one read answers: values, None for each that is missing.
Reply: TypeAlias = list[bytes | None]
#: A channel and what is published on it.
Message: TypeAlias = tuple[str, str]
#: `{layout}-{id}`; the id differs for each filling, for ever.
Generation: TypeAlias = str

#: The channel on which a store announces how far its read models are.
APPLIED = "bourse:applied"


class PutRows(msgspec.Struct, frozen=True, gc=False):
    """Rows to store, in place of those under the same keys."""

    table: str
    rows: Mapping[str, str]


class DeleteRows(msgspec.Struct, frozen=True, gc=False):
    """Rows to remove. A key without a row is skipped."""

    table: str
    keys: Sequence[str]


class AddEntries(msgspec.Struct, frozen=True, gc=False):
    """Entries to add. The collection must not have their members under any score."""

    collection: str
    entries: Sequence[Entry]


class RemoveEntries(msgspec.Struct, frozen=True, gc=False):
    """Entries to remove. One that is not in the collection is skipped."""

    collection: str
    entries: Sequence[Entry]


class RemoveFrom(msgspec.Struct, frozen=True, gc=False):
    """Entries to remove: those with this score or a higher one."""

    collection: str
    score: int


class KeepHighest(msgspec.Struct, frozen=True, gc=False):
    """Entries to remove: all except the `count` highest."""

    collection: str
    count: int


#: A store carries out the changes of one step in their order.
Change: TypeAlias = (
    PutRows | DeleteRows | AddEntries | RemoveEntries | RemoveFrom | KeepHighest
)


class ReadRows(msgspec.Struct, frozen=True, gc=False):
    """The rows under these keys, in the order of the keys."""

    table: str
    keys: Sequence[str]


class ReadAllRows(msgspec.Struct, frozen=True, gc=False):
    """All rows of a table: keys and rows in turn, in no order."""

    table: str


class ReadLowest(msgspec.Struct, frozen=True, gc=False):
    """The members with the lowest scores, lowest first; a count of 0 means all.

    The bytes of the members order entries of one score, here and below.
    """

    collection: str
    count: int


class ReadHighest(msgspec.Struct, frozen=True, gc=False):
    """The members with the highest scores, highest first; a count of 0 means all."""

    collection: str
    count: int


class ReadBetween(msgspec.Struct, frozen=True, gc=False):
    """Members and their scores, in turn, between two exclusive bounds of the score."""

    collection: str
    after: int | None
    until: int | None
    highest_first: bool
    count: int


class ReadScores(msgspec.Struct, frozen=True, gc=False):
    """The score of each entry's member, None if the collection lacks that entry.

    A store may answer another score than the entry's, or None, if they differ.
    """

    collection: str
    entries: Sequence[Entry]


Read: TypeAlias = (
    ReadRows | ReadAllRows | ReadLowest | ReadHighest | ReadBetween | ReadScores
)


class StoreDown(Exception):
    """The store does not answer. Nothing is known about the last write."""


class ViewUnavailable(Exception):
    """A read model has no live generation: it is being filled from the log."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the view {name} is being filled from the log")
        self.name = name


class View(msgspec.Struct, frozen=True):
    """A read model's name, and the number of the form its rows are stored in.

    Raise `layout` when the form changes: the runner then fills a new generation.
    """

    name: str
    layout: int = 1


class Place(msgspec.Struct, frozen=True):
    """One generation of a read model, and the log position it has reached."""

    generation: Generation
    checkpoint: LogPosition


class Request(msgspec.Struct, frozen=True):
    """Reads from one read model: its live generation unless one is named."""

    view: View
    reads: Sequence[Read]
    generation: Generation = ""


class Answer(msgspec.Struct, frozen=True):
    """One reply for each read, in their order, all at one log position."""

    checkpoint: LogPosition
    generation: Generation
    replies: list[Reply]


class Step(msgspec.Struct, frozen=True):
    """One read model's part of a write: from one checkpoint to the next.

    `live` says whether the generation must be the live one, or must not be.
    """

    view: View
    generation: Generation
    expected: LogPosition | None
    reached: LogPosition
    live: bool
    changes: Sequence[Change]


class BatchStore(Protocol):
    """What a host needs to apply a batch. Both may raise StoreDown."""

    def read(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer all requests in one atomic step; None for a missing generation."""
        ...

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        """Apply all steps and publish, or do nothing if any expectation is wrong."""
        ...


class Store(BatchStore, Protocol):
    """The synchronous side, for the hosts. Every method may raise StoreDown."""

    def switch(self, view: View, place: Place) -> bool:
        """Make a generation the live one, unless the live one is further ahead."""
        ...

    def retire(self, view: View, generation: Generation) -> None:
        """Let a generation be live no longer: its view is unavailable from then on."""
        ...

    def generations(self, view: View) -> list[Generation]:
        """Every generation of a view of which anything is left."""
        ...

    def tables(self, view: View, generation: Generation) -> Iterator[str]:
        """The names of a generation's tables, each at least once."""
        ...

    def collections(self, view: View, generation: Generation) -> Iterator[str]:
        """The names of a generation's collections, each at least once."""
        ...

    def keys(
        self, view: View, generation: Generation, table: str
    ) -> Iterator[list[bytes]]:
        """The keys of a table's rows, in pages, each at least once."""
        ...

    def entries(
        self, view: View, generation: Generation, collection: str
    ) -> Iterator[list[tuple[int, bytes]]]:
        """The entries of a collection, in pages, each at least once."""
        ...

    def drop(self, view: View, generation: Generation) -> None:
        """Remove what is left of a generation, unless it is live."""
        ...


class Views(Protocol):
    """The asynchronous side, for queries."""

    async def read(self, view: View, reads: Sequence[Read]) -> Answer:
        """Answer all reads at one log position.

        Raises:
            ViewUnavailable: the read model is being filled; ask again in a moment.
            StoreDown: the store does not answer.
        """
        ...

    async def read_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests to several read models in one atomic step.

        The read models of one store move together, so all answers are of one log
        position, except that of a read model which has just been filled and still
        catches up. Raises as `read` does.
        """
        ...


class AppliedPositions(Protocol):
    """Knows how far the live read models are."""

    async def reach(
        self, position: LogPosition, names: Iterable[str], seconds: float
    ) -> bool:
        """Wait until the named read models show `position`; False if they do not."""
        ...

    async def positions(self) -> dict[str, LogPosition | None]:
        """The log position that each read model shows, None while it is being filled.

        Raises:
            StoreDown: the store does not answer.
        """
        ...


def available(
    requests: Sequence[Request], answers: Sequence[Answer | None]
) -> list[Answer]:
    """Return the answers. Raises ViewUnavailable if a request has none."""
    found: list[Answer] = []
    for request, answer in zip(requests, answers, strict=True):
        if answer is None:
            raise ViewUnavailable(request.view.name)
        found.append(answer)
    return found


def encoded(value: object) -> str:
    """Encode a row or a message as JSON, so that people can read it."""
    return _encode(value).decode()


_encode = msgspec.json.Encoder().encode


def applied_message(
    position: LogPosition, generations: Mapping[str, Generation]
) -> Message:
    """Make the message that says how far the named read models now are."""
    body = {"position": position, "generations": generations}
    return APPLIED, encoded(body)


def present(reply: Reply) -> list[bytes]:
    """Return the values that are not missing."""
    return [value for value in reply if value is not None]


def in_pairs(reply: Reply) -> Iterator[tuple[bytes, bytes]]:
    """Pair keys with rows, or members with scores."""
    words = iter(present(reply))
    return zip(words, words, strict=True)

"""The store's twin in memory, with the same answers as Redis and Postgres.

A collection is a dict from members to scores, sorted when it is read.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import assert_never

from domain.ids import LOG_START
from projections.store import (
    AddEntries,
    Change,
    DeleteRows,
    Entry,
    Generation,
    KeepHighest,
    Message,
    Place,
    PutRows,
    Read,
    ReadAllRows,
    ReadBetween,
    ReadHighest,
    ReadListed,
    ReadLowest,
    ReadReferred,
    ReadResult,
    ReadRows,
    ReadScores,
    RemoveEntries,
    RemoveFrom,
    Reply,
    Request,
    Step,
    View,
    applied_message,
    available,
)


class Contents:
    """The content of one generation."""

    def __init__(self) -> None:
        self.checkpoint = LOG_START
        self.tables: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
        self.collections: defaultdict[str, dict[bytes, int]] = defaultdict(dict)

    def ordered(self, collection: str) -> list[tuple[int, bytes]]:
        kept = self.collections.get(collection, {})
        return sorted((score, member) for member, score in kept.items())

    def __len__(self) -> int:
        held = [*self.tables.values(), *self.collections.values()]
        return sum(len(each) for each in held)

    def remove(self, collection: str, entries: Sequence[tuple[int, bytes]]) -> None:
        kept = self.collections[collection]
        for score, member in entries:
            assert kept.get(member, score) == score, "another score than it has"
            kept.pop(member, None)


class MemoryStore:
    """The synchronous and the asynchronous side of the store, and its messages."""

    def __init__(self) -> None:
        self.live: dict[str, Generation] = {}
        self.published: list[Message] = []
        self._kept: dict[tuple[str, Generation], Contents] = {}

    def flush(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self.live.clear()
        self._kept.clear()

    def contents(self, view: View, generation: Generation) -> Contents:
        return self._kept[view.name, generation]

    def read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> ReadResult | None:
        view, generation = request.view, request.generation
        if not generation:
            generation = self.live.get(view.name, "")
            if not generation.startswith(f"{view.layout}-"):
                return None
        kept = self._kept.get((view.name, generation))
        if kept is None:
            return None
        replies = [carry_out_read(kept, each) for each in request.reads]
        return ReadResult(kept.checkpoint, generation, replies)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        for step in steps:
            kept = self._kept.get((step.view.name, step.generation))
            checkpoint = None if kept is None else kept.checkpoint
            is_live = self.live.get(step.view.name) == step.generation
            if checkpoint != step.expected or is_live is not step.live:
                return False
        for step in steps:
            kept = self._kept.setdefault((step.view.name, step.generation), Contents())
            for change in step.changes:
                carry_out(kept, change)
            kept.checkpoint = step.reached
        self.published += messages
        return True

    def switch(self, view: View, place: Place) -> bool:
        kept = self._kept.get((view.name, place.generation))
        if kept is None or kept.checkpoint != place.checkpoint:
            return False
        live = self._kept.get((view.name, self.live.get(view.name, "")))
        if live is not None and live.checkpoint > place.checkpoint:
            return False
        self.live[view.name] = place.generation
        generations = {view.name: place.generation}
        self.published.append(applied_message(place.checkpoint, generations))
        return True

    def retire(self, view: View, generation: Generation) -> None:
        if self.live.get(view.name) == generation:
            del self.live[view.name]

    def generations(self, view: View) -> list[Generation]:
        return sorted(each for name, each in self._kept if name == view.name)

    def tables(self, view: View, generation: Generation) -> Iterator[str]:
        kept = self._kept.get((view.name, generation), Contents())
        return iter([name for name, rows in kept.tables.items() if rows])

    def collections(self, view: View, generation: Generation) -> Iterator[str]:
        kept = self._kept.get((view.name, generation), Contents())
        return iter([name for name, held in kept.collections.items() if held])

    def keys(
        self, view: View, generation: Generation, table: str
    ) -> Iterator[list[bytes]]:
        yield list(self._kept[view.name, generation].tables[table])

    def entries(
        self, view: View, generation: Generation, collection: str
    ) -> Iterator[list[tuple[int, bytes]]]:
        yield self._kept[view.name, generation].ordered(collection)

    def drop(self, view: View, generation: Generation) -> bool:
        if self.live.get(view.name) != generation:
            self._kept.pop((view.name, generation), None)
        return True


class MemoryViews:
    """The asynchronous side of a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        (answer,) = await self.read_at_once([Request(view, reads)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        return available(requests, self._store.read(requests))

    async def retire(self, view: View, generation: Generation) -> None:
        self._store.retire(view, generation)


def carry_out(kept: Contents, change: Change) -> None:
    match change:
        case PutRows(table, rows):
            new = {key.encode(): row.encode() for key, row in rows.items()}
            kept.tables[table].update(new)
        case DeleteRows(table, keys):
            for key in keys:
                kept.tables[table].pop(key.encode(), None)
        case AddEntries(collection, entries):
            held = kept.collections[collection]
            for score, member in in_bytes(entries):
                assert member not in held, "an entry that is there already"
                held[member] = score
        case RemoveEntries(collection, entries):
            kept.remove(collection, in_bytes(entries))
        case RemoveFrom(collection, low):
            ordered = kept.ordered(collection)
            kept.remove(collection, [each for each in ordered if each[0] >= low])
        case KeepHighest(collection, count):
            ordered = kept.ordered(collection)
            kept.remove(collection, ordered[: max(len(ordered) - count, 0)])
        case _:
            assert_never(change)


def carry_out_read(kept: Contents, read: Read) -> Reply:
    match read:
        case ReadRows(table, keys):
            rows = kept.tables.get(table, {})
            return [rows.get(key.encode()) for key in keys]
        case ReadAllRows(table):
            rows = kept.tables.get(table, {})
            return [word for row in rows.items() for word in row]
        case ReadLowest(collection, count):
            return members(kept.ordered(collection), count)
        case ReadHighest(collection, count):
            return members(kept.ordered(collection)[::-1], count)
        case ReadScores(collection, entries):
            held = kept.collections.get(collection, {})
            scores = [held.get(member) for _, member in in_bytes(entries)]
            return [None if each is None else str(each).encode() for each in scores]
        case ReadBetween():
            return between(kept.ordered(read.collection), read)
        case ReadListed():
            return listed(kept, read)
        case ReadReferred(index, table, keys):
            names = kept.tables.get(index, {})
            rows = kept.tables.get(table, {})
            referred = [names.get(key.encode()) for key in keys]
            return [None if key is None else rows.get(key, b"") for key in referred]
        case _:
            assert_never(read)


def in_bytes(entries: Sequence[Entry]) -> list[tuple[int, bytes]]:
    return [(score, member.encode()) for score, member in entries]


def members(ordered: list[tuple[int, bytes]], count: int) -> Reply:
    return [member for _, member in ordered[: count or None]]


def listed(kept: Contents, read: ReadListed) -> Reply:
    entries = sorted(
        each
        for name in read.collections
        for each in kept.ordered(name)
        if (read.after is None or each[0] > read.after)
        and (read.until is None or each[0] < read.until)
    )
    if read.highest_first:
        entries.reverse()
    rows = kept.tables.get(read.table, {})
    members = [member.split(b" ") for _, member in entries]
    keys = [key for key, *words in members if are_allowed(words, read)]
    return [rows.get(key) for key in keys[: read.count]]


def are_allowed(words: Sequence[bytes], read: ReadListed) -> bool:
    places = zip(words, read.words, strict=False)
    return all(
        not some or word in [each.encode() for each in some] for word, some in places
    )


def between(ordered: list[tuple[int, bytes]], read: ReadBetween) -> Reply:
    chosen = [
        (score, member)
        for score, member in ordered
        if (read.after is None or score > read.after)
        and (read.until is None or score < read.until)
    ]
    if read.highest_first:
        chosen.reverse()
    return [
        word
        for score, member in chosen[: read.count]
        for word in (member, str(score).encode())
    ]

"""The store's twin in memory: the same answers as Redis, with nothing to start.

A sorted set is a dict from members to scores, sorted when it is read.
"""

from collections.abc import Callable, Iterator, Sequence

from domain.ids import LogPosition
from projections.store import (
    Answer,
    Command,
    Generation,
    Message,
    Place,
    Reply,
    Request,
    Step,
    View,
    applied_message,
    available,
)

Hash = dict[bytes, bytes]
SortedSet = dict[bytes, int]


class _Keys:
    """What one generation holds."""

    def __init__(self) -> None:
        self.checkpoint: LogPosition = 0
        self.hashes: dict[str, Hash] = {}
        self.sorted_sets: dict[str, SortedSet] = {}


class MemoryStore:
    """Both sides of the store, synchronous and asynchronous, and what was published."""

    def __init__(self) -> None:
        self.live: dict[str, Generation] = {}
        self.published: list[Message] = []
        self._kept: dict[tuple[str, Generation], _Keys] = {}

    def flush(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self.live.clear()
        self._kept.clear()

    def read(self, requests: Sequence[Request]) -> list[Answer | None]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer | None:
        view, generation = request.view, request.generation
        if not generation:
            generation = self.live.get(view.name, "")
            if not generation.startswith(f"{view.layout}-"):
                return None
        keys = self._kept.get((view.name, generation))
        if keys is None:
            return None
        replies = [READS[each[0]](keys, each) for each in request.commands]
        return Answer(keys.checkpoint, generation, replies)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        for step in steps:
            keys = self._kept.get((step.view.name, step.generation))
            checkpoint = None if keys is None else keys.checkpoint
            is_live = self.live.get(step.view.name) == step.generation
            if checkpoint != step.expected or is_live is not step.live:
                return False
        for step in steps:
            keys = self._kept.setdefault((step.view.name, step.generation), _Keys())
            for command in step.commands:
                WRITES[command[0]](keys, command)
            keys.checkpoint = step.reached
        self.published += messages
        return True

    def switch(self, view: View, place: Place) -> bool:
        keys = self._kept.get((view.name, place.generation))
        if keys is None or keys.checkpoint != place.checkpoint:
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

    def keys(self, view: View, generation: Generation) -> Iterator[tuple[str, str]]:
        keys = self._kept.get((view.name, generation))
        if keys is not None:
            yield from [(key, "hash") for key in keys.hashes]
            yield from [(key, "zset") for key in keys.sorted_sets]

    def members(
        self, view: View, generation: Generation, key: str, kind: str
    ) -> Iterator[list[bytes]]:
        keys = self._kept[view.name, generation]
        kept = keys.hashes if kind == "hash" else keys.sorted_sets
        yield list(kept.get(key, ()))

    def drop(self, view: View, generation: Generation) -> None:
        if self.live.get(view.name) != generation:
            self._kept.pop((view.name, generation), None)


class MemoryViews:
    """The asynchronous side of a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def read(self, view: View, commands: Sequence[Command]) -> Answer:
        (answer,) = await self.read_at_once([Request(view, commands)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        return available(requests, self._store.read(requests))


def _hset(keys: _Keys, command: Command) -> None:
    words = iter(command[2:])
    kept = keys.hashes.setdefault(command[1], {})
    kept.update((field.encode(), next(words).encode()) for field in words)


def _hmget(keys: _Keys, command: Command) -> Reply:
    kept = keys.hashes.get(command[1], {})
    return [kept.get(field.encode()) for field in command[2:]]


def _hgetall(keys: _Keys, command: Command) -> Reply:
    kept = keys.hashes.get(command[1], {})
    return [word for pair in kept.items() for word in pair]


def _sorted(keys: _Keys, key: str) -> list[tuple[int, bytes]]:
    kept = keys.sorted_sets.get(key, {})
    return sorted((score, member) for member, score in kept.items())


def _remove(keys: _Keys, key: str, members: Sequence[bytes]) -> None:
    kept = keys.sorted_sets.get(key, {})
    for member in members:
        kept.pop(member, None)
    if not kept:
        keys.sorted_sets.pop(key, None)


def _zadd(keys: _Keys, command: Command) -> None:
    words = iter(command[2:])
    kept = keys.sorted_sets.setdefault(command[1], {})
    for score in words:
        kept[next(words).encode()] = int(score)


def _zrem(keys: _Keys, command: Command) -> None:
    _remove(keys, command[1], [word.encode() for word in command[2:]])


def _zremrangebyscore(keys: _Keys, command: Command) -> None:
    low = int(command[2])
    kept = keys.sorted_sets.get(command[1], {})
    _remove(keys, command[1], [member for member in kept if kept[member] >= low])


def _zremrangebyrank(keys: _Keys, command: Command) -> None:
    excess = len(keys.sorted_sets.get(command[1], ())) + int(command[3]) + 1
    if excess > 0:
        members = [member for _, member in _sorted(keys, command[1])[:excess]]
        _remove(keys, command[1], members)


def _zrange(keys: _Keys, command: Command) -> Reply:
    members: Reply = [member for _, member in _sorted(keys, command[1])]
    if command[0] == "ZREVRANGE":
        members.reverse()
    last = int(command[3])
    return members if last == -1 else members[: last + 1]


def _zrangebyscore(keys: _Keys, command: Command) -> Reply:
    _, key, first, second, _, _, _, count = command
    pairs = _sorted(keys, key)
    low, high = first, second
    if command[0] == "ZREVRANGEBYSCORE":
        pairs.reverse()
        low, high = second, first
    chosen = [
        (score, member)
        for score, member in pairs
        if (low == "-inf" or score > int(low[1:]))
        and (high == "+inf" or score < int(high[1:]))
    ]
    return [
        word
        for score, member in chosen[: int(count)]
        for word in (member, str(score).encode())
    ]


def _zmscore(keys: _Keys, command: Command) -> Reply:
    kept = keys.sorted_sets.get(command[1], {})
    scores = [kept.get(member.encode()) for member in command[2:]]
    return [None if score is None else str(score).encode() for score in scores]


WRITES: dict[str, Callable[[_Keys, Command], None]] = {
    "HSET": _hset,
    "ZADD": _zadd,
    "ZREM": _zrem,
    "ZREMRANGEBYSCORE": _zremrangebyscore,
    "ZREMRANGEBYRANK": _zremrangebyrank,
}
READS: dict[str, Callable[[_Keys, Command], Reply]] = {
    "HMGET": _hmget,
    "HGETALL": _hgetall,
    "ZMSCORE": _zmscore,
    "ZRANGE": _zrange,
    "ZREVRANGE": _zrange,
    "ZRANGEBYSCORE": _zrangebyscore,
    "ZREVRANGEBYSCORE": _zrangebyscore,
}

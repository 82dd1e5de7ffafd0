"""What a read model needs from its store: a few commands, one atomic write, reads.

Everything of one read model stands under `bourse:{name}:{generation}:…`. Commands
name keys without that prefix; the store adds it. `bourse:alias` says which generation
of each read model is live, and the store looks it up within the same atomic step as
the read, so that no reader can meet a half-filled or an abandoned generation.

The commands are those of Redis 6.2. Numbers travel as text: the script that applies
them has floating-point numbers only, and money has more digits than those.

>>> list(hash_set("rows", {"ada": "1"}))
[('HSET', 'rows', 'ada', '1')]
>>> best("bids", 2)
('ZREVRANGE', 'bids', '0', '1')
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol, TypeAlias

import msgspec

from domain.ids import LogPosition

Command: TypeAlias = tuple[str, ...]
#: What one reading command answers: values, None where there is none.
Reply: TypeAlias = list[bytes | None]
#: A channel and what is published on it.
Message: TypeAlias = tuple[str, str]
#: `{layout}-{id}`; the id differs for each filling, for ever.
Generation: TypeAlias = str

ALIAS = "bourse:alias"
APPLIED = "bourse:applied"

#: Words in one command. The script's interpreter unpacks fewer than 8,000 at once.
WORDS_MAX = 4_000


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
    """Commands that read one read model: its live generation unless one is named."""

    view: View
    commands: Sequence[Command]
    generation: Generation = ""


class Answer(msgspec.Struct, frozen=True):
    """Replies in the order of the commands, all at one log position."""

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
    commands: Sequence[Command]


class BatchStore(Protocol):
    """What a host needs to apply a batch. Both may raise StoreDown."""

    def read(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer all requests in one atomic step; None where no such generation is."""
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

    def keys(self, view: View, generation: Generation) -> Iterator[tuple[str, str]]:
        """The keys of a generation and their kinds, `hash` or `zset`."""
        ...

    def members(
        self, view: View, generation: Generation, key: str, kind: str
    ) -> Iterator[list[bytes]]:
        """Fields of a hash or members of a sorted set, in pages, each at least once."""
        ...

    def drop(self, view: View, generation: Generation) -> None:
        """Remove what is left of a generation, unless it is live."""
        ...


class Views(Protocol):
    """The asynchronous side, for queries."""

    async def read(self, view: View, commands: Sequence[Command]) -> Answer:
        """Answer all commands at one log position.

        Raises:
            ViewUnavailable: the read model is being filled; ask again in a moment.
            StoreDown: the store does not answer.
        """
        ...

    async def read_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests to several read models in one atomic step.

        Read models move together, so all answers are of one log position, but for a
        read model that is catching up after it was filled. Raises as `read` does.
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
    """The answers, where there are any to all requests. Raises ViewUnavailable."""
    found: list[Answer] = []
    for request, answer in zip(requests, answers, strict=True):
        if answer is None:
            raise ViewUnavailable(request.view.name)
        found.append(answer)
    return found


def encoded(value: object) -> str:
    """A row or a message as it is stored or sent: JSON, so that people can read it."""
    return _encode(value).decode()


_encode = msgspec.json.Encoder().encode


def applied_message(
    position: LogPosition, generations: Mapping[str, Generation]
) -> Message:
    """What `bourse:applied` carries: how far the named read models now are."""
    body = {"position": position, "generations": generations}
    return APPLIED, encoded(body)


def _chunks(words: Iterable[str], size: int = WORDS_MAX) -> Iterator[list[str]]:
    iterator = iter(words)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[list[str]]:
    return _chunks(word for pair in pairs for word in pair)


def hash_set(key: str, fields: Mapping[str, str]) -> Iterator[Command]:
    return (("HSET", key, *chunk) for chunk in _pairs(fields.items()))


def hash_get(key: str, fields: Iterable[str]) -> Iterator[Command]:
    return (("HMGET", key, *chunk) for chunk in _chunks(fields))


def hash_all(key: str) -> Command:
    """Fields and values in turn."""
    return ("HGETALL", key)


def sorted_add(key: str, pairs: Iterable[tuple[int, str]]) -> Iterator[Command]:
    """Add (score, member) pairs. A score is exact below 2**53."""
    worded = ((str(score), member) for score, member in pairs)
    return (("ZADD", key, *chunk) for chunk in _pairs(worded))


def sorted_remove(key: str, members: Iterable[str]) -> Iterator[Command]:
    return (("ZREM", key, *chunk) for chunk in _chunks(members))


def sorted_remove_from(key: str, score: int) -> Command:
    """Remove the members with that score or a higher one."""
    return ("ZREMRANGEBYSCORE", key, str(score), "+inf")


def sorted_keep_newest(key: str, count: int) -> Command:
    return ("ZREMRANGEBYRANK", key, "0", str(-count - 1))


def sorted_scores(key: str, members: Iterable[str]) -> Iterator[Command]:
    """The score of each member."""
    return (("ZMSCORE", key, *chunk) for chunk in _chunks(members))


def lowest(key: str, count: int) -> Command:
    """The members with the lowest scores; a count of 0 means all."""
    return ("ZRANGE", key, "0", str(count - 1))


def best(key: str, count: int) -> Command:
    """The members with the highest scores; a count of 0 means all."""
    return ("ZREVRANGE", key, "0", str(count - 1))


def scored(
    key: str,
    *,
    after: int | None,
    until: int | None,
    newest_first: bool,
    count: int,
) -> Command:
    """Members with their scores, in turn, with scores between two exclusive bounds."""
    low = "-inf" if after is None else f"({after}"
    high = "+inf" if until is None else f"({until}"
    page = ("WITHSCORES", "LIMIT", "0", str(count))
    if newest_first:
        return ("ZREVRANGEBYSCORE", key, high, low, *page)
    return ("ZRANGEBYSCORE", key, low, high, *page)


def present(reply: Reply) -> list[bytes]:
    """The values that are there."""
    return [value for value in reply if value is not None]


def in_pairs(reply: Reply) -> Iterator[tuple[bytes, bytes]]:
    """Fields with values, or members with scores."""
    words = iter(present(reply))
    return zip(words, words, strict=True)

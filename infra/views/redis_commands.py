"""Translates changes to read models, and reads from them, into Redis 6.2 commands.

A table is a hash, a collection is a sorted set. Commands name keys without the prefix
of their generation; the script that runs them adds the prefix. Numbers travel as text,
because Lua has only floating-point numbers, and money has more digits than those.

>>> writing([PutRows("rows", {"ada": "1"})])
[('HSET', 'rows', 'ada', '1')]
>>> reading(ReadHighest("bids", 2))
[('ZREVRANGE', 'bids', '0', '1')]
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from projections.store import (
    AddEntries,
    Change,
    DeleteRows,
    KeepHighest,
    PutRows,
    Read,
    ReadAllRows,
    ReadBetween,
    ReadHighest,
    ReadListed,
    ReadLowest,
    ReadReferred,
    ReadRows,
    ReadScores,
    RemoveEntries,
    RemoveFrom,
)

RedisCommand: TypeAlias = tuple[Any, ...]

#: The most words in one command. Lua unpacks fewer than 8,000 at once.
WORDS_MAX = 4_000


def writing(changes: Iterable[Change]) -> list[RedisCommand]:
    """Return the commands that carry out the changes, in order."""
    commands: list[RedisCommand] = []
    for change in changes:
        commands += _WRITERS[type(change)](change)
    return commands


def reading(read: Read) -> list[RedisCommand]:
    """Return the commands for one read. Their joined replies are the read's reply."""
    return _READERS[type(read)](read)


def _chunked(words: Sequence[str], verb: str, key: str) -> list[RedisCommand]:
    if len(words) <= WORDS_MAX:
        return [(verb, key, *words)] if words else []
    return [(verb, key, *chunk) for chunk in _chunks(words)]


def _chunks(words: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(words)
    while chunk := list(islice(iterator, WORDS_MAX)):
        yield chunk


def _put_rows(change: PutRows) -> list[RedisCommand]:
    words = [word for row in change.rows.items() for word in row]
    return _chunked(words, "HSET", change.table)


def _delete_rows(change: DeleteRows) -> list[RedisCommand]:
    return _chunked(change.keys, "HDEL", change.table)


def _add_entries(change: AddEntries) -> list[RedisCommand]:
    words = [word for score, member in change.entries for word in (str(score), member)]
    return _chunked(words, "ZADD", change.collection)


def _remove_entries(change: RemoveEntries) -> list[RedisCommand]:
    members = [member for _, member in change.entries]
    return _chunked(members, "ZREM", change.collection)


def _remove_from(change: RemoveFrom) -> list[RedisCommand]:
    return [("ZREMRANGEBYSCORE", change.collection, str(change.score), "+inf")]


def _keep_highest(change: KeepHighest) -> list[RedisCommand]:
    return [("ZREMRANGEBYRANK", change.collection, "0", str(-change.count - 1))]


def _rows(read: ReadRows) -> list[RedisCommand]:
    return _chunked(read.keys, "HMGET", read.table)


def _all_rows(read: ReadAllRows) -> list[RedisCommand]:
    return [("HGETALL", read.table)]


def _lowest(read: ReadLowest) -> list[RedisCommand]:
    return [("ZRANGE", read.collection, "0", str(read.count - 1))]


def _highest(read: ReadHighest) -> list[RedisCommand]:
    return [("ZREVRANGE", read.collection, "0", str(read.count - 1))]


def _bounds(after: int | None, until: int | None) -> tuple[str, str]:
    low = "-inf" if after is None else f"({after}"
    high = "+inf" if until is None else f"({until}"
    return low, high


def _between(read: ReadBetween) -> list[RedisCommand]:
    low, high = _bounds(read.after, read.until)
    page = ("WITHSCORES", "LIMIT", "0", str(read.count))
    if read.highest_first:
        return [("ZREVRANGEBYSCORE", read.collection, high, low, *page)]
    return [("ZRANGEBYSCORE", read.collection, low, high, *page)]


def _scores(read: ReadScores) -> list[RedisCommand]:
    members = [member for _, member in read.entries]
    return _chunked(members, "ZMSCORE", read.collection)


def _listed(read: ReadListed) -> list[RedisCommand]:
    low, high = _bounds(read.after, read.until)
    names, words = list(read.collections), [list(each) for each in read.words]
    down, count = read.highest_first, read.count
    return [("LISTED", read.table, names, low, high, down, count, words)]


def _referred(read: ReadReferred) -> list[RedisCommand]:
    return [("REFERRED", read.table, read.index, list(read.keys))]


_WRITERS: dict[type[Change], Callable[[Any], list[RedisCommand]]] = {
    PutRows: _put_rows,
    DeleteRows: _delete_rows,
    AddEntries: _add_entries,
    RemoveEntries: _remove_entries,
    RemoveFrom: _remove_from,
    KeepHighest: _keep_highest,
}
_READERS: dict[type[Read], Callable[[Any], list[RedisCommand]]] = {
    ReadRows: _rows,
    ReadAllRows: _all_rows,
    ReadLowest: _lowest,
    ReadHighest: _highest,
    ReadBetween: _between,
    ReadScores: _scores,
    ReadListed: _listed,
    ReadReferred: _referred,
}

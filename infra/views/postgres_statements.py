"""The SQL for the changes to read models and for the reads from them.

One table of Postgres holds the tables of all read models, another the collections.
`generation_id` separates the generations. One statement carries out all consecutive
changes of one kind. Its values travel as binary arrays, which cost a tenth of text.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, LiteralString, TypeAlias

from psycopg.rows import TupleRow

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
    Reply,
    encoded,
)

Statement: TypeAlias = tuple[LiteralString, tuple[Any, ...]]
Rows: TypeAlias = list[TupleRow]

_LEAST, _MOST = -(2**63), 2**63 - 1

_PUT_ROWS = """
    INSERT INTO view_rows SELECT %s, * FROM unnest(%b::text[], %b::text[], %b::text[])
    ON CONFLICT (generation_id, name, key) DO UPDATE SET value = excluded.value
"""
_DELETE_ROWS = """
    DELETE FROM view_rows
    WHERE generation_id = %s AND name = %s AND key = ANY(%b::text[])
"""
_ADD_ENTRIES = """
    INSERT INTO view_entries
    SELECT %s, * FROM unnest(%b::text[], %b::bigint[], %b::text[])
"""
_REMOVE_ENTRIES = """
    DELETE FROM view_entries AS entry
    USING unnest(%b::bigint[], %b::text[]) AS gone (score, member)
    WHERE generation_id = %s AND collection = %s
        AND entry.score = gone.score AND entry.member = gone.member
"""
_REMOVE_FROM = """
    DELETE FROM view_entries
    WHERE generation_id = %s AND collection = %s AND score >= %s
"""
_KEEP_HIGHEST = """
    DELETE FROM view_entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM view_entries WHERE generation_id = %s AND collection = %s
        ORDER BY score DESC, member DESC OFFSET %s
    ))
"""
_ROWS = """
    SELECT key, value FROM view_rows
    WHERE generation_id = %s AND name = %s AND key = ANY(%b::text[])
"""
_ALL_ROWS = "SELECT key, value FROM view_rows WHERE generation_id = %s AND name = %s"
_LOWEST = """
    SELECT member FROM view_entries WHERE generation_id = %s AND collection = %s
    ORDER BY score, member LIMIT nullif(%s, 0)
"""
_HIGHEST = """
    SELECT member FROM view_entries WHERE generation_id = %s AND collection = %s
    ORDER BY score DESC, member DESC LIMIT nullif(%s, 0)
"""
_UP = """
    SELECT member, score FROM view_entries WHERE generation_id = %s AND collection = %s
        AND score > %s AND score < %s ORDER BY score, member LIMIT %s
"""
_DOWN = """
    SELECT member, score FROM view_entries WHERE generation_id = %s AND collection = %s
        AND score > %s AND score < %s ORDER BY score DESC, member DESC LIMIT %s
"""
_SCORES = """
    SELECT score, member FROM unnest(%b::bigint[], %b::text[]) AS asked (score, member)
    WHERE EXISTS (
        SELECT FROM view_entries AS entry WHERE generation_id = %s AND collection = %s
            AND entry.score = asked.score AND entry.member = asked.member
    )
"""
_REFERRED = """
    SELECT index.key, coalesce(named.value, '') FROM view_rows AS index
    LEFT JOIN view_rows AS named ON named.generation_id = index.generation_id
        AND named.name = %s AND named.key = index.value
    WHERE index.generation_id = %s AND index.name = %s AND index.key = ANY(%b::text[])
"""
_LISTED = """
    SELECT named.value FROM view_entries AS entry
    LEFT JOIN view_rows AS named ON named.generation_id = entry.generation_id
        AND named.name = %s AND named.key = split_part(entry.member, ' ', 1)
    WHERE entry.generation_id = %s AND entry.collection = ANY(%b::text[])
        AND entry.score > %s AND entry.score < %s
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS filter
            WHERE filter.value <> '[]' AND NOT filter.value || '[""]' ? split_part(
                entry.member, ' ', filter.ordinality::int + 1
            )
        )
"""
_LISTED_UP = _LISTED + "ORDER BY entry.score, entry.member LIMIT %s"
_LISTED_DOWN = _LISTED + "ORDER BY entry.score DESC, entry.member DESC LIMIT %s"


def writing(generation_id: int, changes: Iterable[Change]) -> Iterator[Statement]:
    """Yield the statements that carry out the changes, in their order."""
    for kind, some in groupby(changes, type):
        yield from _WRITERS[kind](generation_id, list(some))


def reading(generation_id: int, read: Read) -> Statement:
    """Return the statement of a read. `reply` converts its rows."""
    return _READERS[type(read)](generation_id, read)


def reply(read: Read, rows: Rows) -> Reply:
    """Convert the rows of a read's statement to the reply."""
    match read:
        case ReadRows(_, keys) | ReadReferred(_, _, keys):
            values: dict[str, str] = dict(rows)
            return [_bytes(values.get(key)) for key in keys]
        case ReadListed():
            return [_bytes(value) for (value,) in rows]
        case ReadScores(_, entries):
            present = set(rows)
            return [
                str(entry[0]).encode() if entry in present else None
                for entry in entries
            ]
        case _:
            return [_bytes(str(word)) for row in rows for word in row]


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


def _put_rows(generation_id: int, changes: Sequence[PutRows]) -> Iterator[Statement]:
    rows = {
        (each.table, key): value for each in changes for key, value in each.rows.items()
    }
    if rows:
        names, keys = zip(*rows, strict=True)
        values = list(rows.values())
        yield _PUT_ROWS, (generation_id, list(names), list(keys), values)


def _delete_rows(
    generation_id: int, changes: Sequence[DeleteRows]
) -> Iterator[Statement]:
    for each in changes:
        yield _DELETE_ROWS, (generation_id, each.table, list(each.keys))


def _add_entries(
    generation_id: int, changes: Sequence[AddEntries]
) -> Iterator[Statement]:
    collections: list[str] = []
    scores: list[int] = []
    members: list[str] = []
    for each in changes:
        for score, member in each.entries:
            collections.append(each.collection)
            scores.append(score)
            members.append(member)
    if members:
        yield _ADD_ENTRIES, (generation_id, collections, scores, members)


def _remove_entries(
    generation_id: int, changes: Sequence[RemoveEntries]
) -> Iterator[Statement]:
    for each in changes:
        yield (
            _REMOVE_ENTRIES,
            (*_columns(each.entries), generation_id, each.collection),
        )


def _remove_from(
    generation_id: int, changes: Sequence[RemoveFrom]
) -> Iterator[Statement]:
    for each in changes:
        yield _REMOVE_FROM, (generation_id, each.collection, each.score)


def _keep_highest(
    generation_id: int, changes: Sequence[KeepHighest]
) -> Iterator[Statement]:
    for each in changes:
        yield _KEEP_HIGHEST, (generation_id, each.collection, each.count)


def _columns(entries: Sequence[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [score for score, _ in entries], [member for _, member in entries]


def _rows(generation_id: int, read: ReadRows) -> Statement:
    return _ROWS, (generation_id, read.table, list(read.keys))


def _all_rows(generation_id: int, read: ReadAllRows) -> Statement:
    return _ALL_ROWS, (generation_id, read.table)


def _lowest(generation_id: int, read: ReadLowest) -> Statement:
    return _LOWEST, (generation_id, read.collection, read.count)


def _highest(generation_id: int, read: ReadHighest) -> Statement:
    return _HIGHEST, (generation_id, read.collection, read.count)


def _bounds(after: int | None, until: int | None) -> tuple[int, int]:
    return _LEAST if after is None else after, _MOST if until is None else until


def _between(generation_id: int, read: ReadBetween) -> Statement:
    low, high = _bounds(read.after, read.until)
    bounds = (generation_id, read.collection, low, high, read.count)
    return (_DOWN if read.highest_first else _UP), bounds


def _listed(generation_id: int, read: ReadListed) -> Statement:
    low, high = _bounds(read.after, read.until)
    names, words = list(read.collections), encoded([list(each) for each in read.words])
    values = (read.table, generation_id, names, low, high, words, read.count)
    return (_LISTED_DOWN if read.highest_first else _LISTED_UP), values


def _referred(generation_id: int, read: ReadReferred) -> Statement:
    return _REFERRED, (read.table, generation_id, read.index, list(read.keys))


def _scores(generation_id: int, read: ReadScores) -> Statement:
    return _SCORES, (*_columns(read.entries), generation_id, read.collection)


_WRITERS: dict[type[Change], Callable[[int, Any], Iterator[Statement]]] = {
    PutRows: _put_rows,
    DeleteRows: _delete_rows,
    AddEntries: _add_entries,
    RemoveEntries: _remove_entries,
    RemoveFrom: _remove_from,
    KeepHighest: _keep_highest,
}
_READERS: dict[type[Read], Callable[[int, Any], Statement]] = {
    ReadRows: _rows,
    ReadAllRows: _all_rows,
    ReadLowest: _lowest,
    ReadHighest: _highest,
    ReadBetween: _between,
    ReadScores: _scores,
    ReadListed: _listed,
    ReadReferred: _referred,
}

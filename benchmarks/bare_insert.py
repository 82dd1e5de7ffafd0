"""The ceiling of an append: the same rows in a bare psycopg insert, in the same groups.

The arrays exist before the clock starts, and the table has the form of the log, with
its indexes. One variant sends the parameters as text, the other in binary form.
"""

from collections.abc import Sequence
from itertools import groupby
from time import perf_counter
from typing import LiteralString, TypeAlias

import psycopg

from domain.ids import LogPosition

Group: TypeAlias = tuple[list[str], list[int], list[str], list[bytes]]

_INSERT: LiteralString = (
    "INSERT INTO bare (originator_id, originator_version, topic, state) "
    "SELECT * FROM unnest({}::text[], {}::bigint[], {}::text[], {}::bytea[]) "
    "RETURNING notification_id"
)
TEXT: LiteralString = _INSERT.replace("{}", "%s")
BINARY: LiteralString = _INSERT.replace("{}", "%b")


def committed_groups(
    connection: psycopg.Connection, after: LogPosition, limit: int
) -> list[Group]:
    """Return rows of the log, one group per transaction that committed them."""
    rows = connection.execute(
        "SELECT xmin::text, originator_id, originator_version, topic, state "
        "FROM events WHERE notification_id > %s ORDER BY notification_id LIMIT %s",
        (after, limit),
        binary=True,
    ).fetchall()
    groups: list[Group] = []
    for _, together in groupby(rows, key=lambda row: row[0]):
        _, streams, versions, topics, states = map(list, zip(*together, strict=True))
        groups.append((streams, versions, topics, states))
    return groups


def bare_rate(
    connection: psycopg.Connection, insert: LiteralString, groups: Sequence[Group]
) -> float:
    """Return rows per second, with one commit per group."""
    connection.execute("DROP TABLE IF EXISTS bare")
    connection.execute("CREATE TABLE bare (LIKE events INCLUDING ALL)")
    # The log's own sequence would leave gaps in its positions.
    connection.execute("CREATE SEQUENCE bare_ids OWNED BY bare.notification_id")
    connection.execute(
        "ALTER TABLE bare ALTER notification_id SET DEFAULT nextval('bare_ids')"
    )
    start = perf_counter()
    for group in groups:
        connection.execute(insert, group, prepare=True).fetchall()
    took = perf_counter() - start
    return sum(len(group[0]) for group in groups) / took

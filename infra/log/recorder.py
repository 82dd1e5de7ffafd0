"""The eventsourcing library's recorders on Postgres, made faster in two places.

The library provides notification ids in commit order, tracking of hosts with outside
effects, subscriptions and retries.

Rows travel as binary arrays (`unnest`) instead of an array of a composite type, which
is several times as fast. The library has a faster way, POSTGRES_ENABLE_DB_FUNCTIONS.
Never enable it: it drops the lock that keeps commit order, and skips tracking.

Appends lock `events_lock`, an empty table, instead of `events`. A lock on `events`
excludes autovacuum, so appends would stall while autovacuum analyzes or vacuums the
log. Measured over 40 s: 10 stalls of 0.3 to 0.5 s with the library's lock, none with
ours.
"""

from collections.abc import Callable, Sequence
from typing import Any, LiteralString

from eventsourcing.persistence import PersistenceError, StoredEvent
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresProcessRecorder,
)
from psycopg import Cursor
from psycopg.rows import DictRow, TupleRow
from psycopg.sql import SQL

from commands.ports import LogUnavailable
from domain.ids import LOG_START, LogPosition
from infra.log.connection import Datastore
from processors.follower import Overtaken

LOCK: LiteralString = "LOCK TABLE events_lock IN EXCLUSIVE MODE"
#: One row for each event, in the order of the arrays.
ROWS: LiteralString = (
    "unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[]) WITH ORDINALITY "
    "AS row (stream, version, topic, state, place)"
)
_TRACKED = "SELECT notification_id FROM tracking WHERE application_name = %s"
# A row that somebody removed must not come back at a position beyond its facts.
_MOVE = """
    INSERT INTO tracking (application_name, notification_id)
    SELECT %(name)s, %(reached)s
    WHERE %(before)s = 0
        OR EXISTS (SELECT FROM tracking WHERE application_name = %(name)s)
    ON CONFLICT (application_name) DO UPDATE SET notification_id = %(reached)s
    WHERE tracking.notification_id = %(before)s
    RETURNING notification_id
"""
COLUMNS: LiteralString = "(originator_id, originator_version, topic, state)"


class EventRecorder(PostgresProcessRecorder):
    """A recorder of events and tracking on the `events` table, with subscriptions.

    Hosts and tools use it; the writer appends through its lease instead.
    """

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(
            datastore, events_table_name="events", tracking_table_name="tracking"
        )
        self.lock_table_statements = [SQL(LOCK)]

    def create_table(self) -> None:
        """Create nothing: `infra.log.migrations` creates the tables."""

    def _insert_stored_events(
        self,
        curs: Cursor[DictRow],
        stored_events: Sequence[StoredEvent],
        **_: Any,
    ) -> None:
        self._lock_table(curs)
        self._notify_channel(curs)
        curs.execute(
            SQL(
                f"INSERT INTO events {COLUMNS} SELECT stream, version, topic, state "
                f"FROM {ROWS} ORDER BY place RETURNING notification_id"
            ),
            arrays(stored_events),
            prepare=True,
        )


class PostgresCheckpoints:
    """The `Checkpoints` of effects, in the library's table of tracked positions.

    The library only makes sure that a position grows. Here a checkpoint moves from
    exactly the position that the effect began at, so that two processes with one effect
    cannot both be right.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def position(self, name: str) -> LogPosition:
        with self._datastore.rows() as cursor:
            row = cursor.execute(_TRACKED, (name,)).fetchone()
        return row[0] if row else LOG_START

    def move(
        self,
        name: str,
        *,
        before: LogPosition,
        reached: LogPosition,
        write: Callable[[Cursor[TupleRow]], None] | None = None,
    ) -> None:
        with self._datastore.rows() as cursor, cursor.connection.transaction():
            values = {"name": name, "before": before, "reached": reached}
            if cursor.execute(_MOVE, values).fetchone() is None:
                raise Overtaken(f"the checkpoint of {name} is not at {before} any more")
            if write is not None:
                write(cursor)


class SnapshotRecorder(PostgresAggregateRecorder):
    """A recorder of chunks of saved states on the `snapshots` table.

    `put` and `get` raise LogUnavailable.
    """

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore, events_table_name="snapshots")

    def create_table(self) -> None:
        """Create nothing: `infra.log.migrations` creates the tables."""

    def put(self, stream: str, number: int, chunk: bytes) -> None:
        try:
            self.insert_events([StoredEvent(stream, number, "snapshot", chunk)])
        except PersistenceError as reason:
            raise LogUnavailable(str(reason)) from reason

    def get(self, stream: str, number: int) -> bytes | None:
        try:
            chunks = self.select_events(stream, gt=number - 1, lte=number)
        except PersistenceError as reason:
            raise LogUnavailable(str(reason)) from reason
        return chunks[0].state if chunks else None

    def _insert_stored_events(
        self,
        curs: Cursor[DictRow],
        stored_events: Sequence[StoredEvent],
        **_: Any,
    ) -> None:
        curs.execute(
            SQL(
                f"INSERT INTO snapshots {COLUMNS} "
                f"SELECT stream, version, topic, state FROM {ROWS}"
            ),
            arrays(stored_events),
        )


Arrays = tuple[list[str], list[int], list[str], list[bytes]]


def arrays(stored_events: Sequence[StoredEvent]) -> Arrays:
    """Return the library's events as the columns of ROWS."""
    return (
        [str(event.originator_id) for event in stored_events],
        [event.originator_version for event in stored_events],
        [event.topic for event in stored_events],
        [event.state for event in stored_events],
    )

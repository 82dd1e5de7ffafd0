"""The log in Postgres: its writer, its reader, and the lease between writers.

An append is one transaction and one round trip: lock, check of the epoch, rows,
notification and commit are sent together on the lease's connection. That connection is
never replaced. When it fails, the writer cannot know whether Postgres committed the
last append. It closes the connection for good, and its caller looks into the log
(`LogReader.find`).
"""

import contextlib
import os
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import LiteralString, Self

import psycopg
from psycopg.rows import TupleRow

from commands.companions import Companion
from commands.ports import LogLost, LogUnavailable
from domain.events.register import EVENTS, Recorded, tag_of
from domain.ids import LogPosition
from infra.log import companions, lease
from infra.log.connection import Datastore, connect
from infra.log.event_codec import EventDecoder, encode_event
from infra.log.head_listener import LogListener
from infra.log.migrations import migrate
from infra.log.reader import PostgresLogReader
from infra.log.recorder import COLUMNS, LOCK, ROWS, EventRecorder

_TAGS = {event_type: tag_of(event_type) for event_type in EVENTS}
# When the epoch is over, nothing is inserted and no row comes back.
_APPEND: LiteralString = f"""
    WITH held AS MATERIALIZED (
        SELECT FROM log_lease WHERE shard = %s AND epoch = %s FOR SHARE
    ), inserted AS (
        INSERT INTO events {COLUMNS}
        SELECT stream, version, topic, state FROM held, {ROWS} ORDER BY place
        RETURNING notification_id
    )
    SELECT min(notification_id), max(notification_id), count(*),
        pg_notify('events', max(notification_id)::text)
    FROM inserted HAVING count(*) > 0
"""


class PostgresLogWriter:
    """A `LogWriter`: the lease, its heartbeat and the connection that appends."""

    def __init__(
        self,
        connection: psycopg.Connection[TupleRow],
        heartbeat: lease.Heartbeat,
        epoch: int,
    ) -> None:
        self._connection = connection
        self._heartbeat = heartbeat
        self._epoch = epoch
        self._turn = threading.Lock()
        self._is_lost = False

    @property
    def epoch(self) -> int:
        return self._epoch

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        assert events, "an append has at least one event"
        columns = (
            [recorded.stream for recorded in events],
            [recorded.version for recorded in events],
            [_TAGS[type(recorded.event)] for recorded in events],
            [encode_event(recorded.event) for recorded in events],
        )
        with self._turn:
            if self._is_lost:
                raise LogLost("this writer has lost or returned the lease")
            try:
                values = (lease.SHARD, self._epoch, *columns)
                return self._commit(values, len(events), rows)
            except BaseException as reason:
                # After an interruption, too, nobody knows what was committed.
                self._is_lost = True
                self._connection.close()
                if isinstance(reason, psycopg.Error):
                    raise LogLost(str(reason)) from reason
                raise

    def _commit(
        self, values: tuple[object, ...], count: int, rows: Sequence[Companion]
    ) -> LogPosition:
        connection = self._connection
        with connection.pipeline():
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED", prepare=True)
            connection.execute(LOCK, prepare=True)
            cursor = connection.execute(_APPEND, values, prepare=True)
            for companion in rows:
                companions.send(connection, companion, self._epoch)
            connection.execute("COMMIT", prepare=True)
            row = cursor.fetchone()
        if row is None:
            raise LogLost(f"epoch {self._epoch} of the lease is over")
        first, last, inserted = LogPosition(row[0]), int(row[1]), int(row[2])
        if not last - first + 1 == inserted == count:
            raise LogLost(f"{count} events got the log positions {first} to {last}")
        return first

    def alive(self) -> bool:
        return (
            not self._is_lost
            and not self._connection.closed
            and self._heartbeat.goes_on()
        )

    def close(self) -> None:
        self._heartbeat.end()
        if not self._turn.acquire(blocking=False):
            self._hang_up()
            self._turn.acquire()
        try:
            if not self._connection.closed:
                self._free()
            self._is_lost = True
        finally:
            self._turn.release()

    def _hang_up(self) -> None:
        """End an append that waits for an answer, by closing its connection."""
        with (
            contextlib.suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self._connection.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def _free(self) -> None:
        try:
            lease.free(self._connection, self._epoch)
        except psycopg.Error:
            # The backend is gone, so the lease is free already.
            return
        finally:
            self._connection.close()


class PostgresEventStore:
    """An `EventStore`. Migrates the database first."""

    def __init__(
        self, database_url: str, *, decoder: EventDecoder | None = None
    ) -> None:
        try:
            migrate(database_url)
        except psycopg.OperationalError as reason:
            raise LogUnavailable(str(reason)) from reason
        self._database_url = database_url
        self.datastore = Datastore(database_url)
        self._listener = LogListener(database_url)
        self._reader = PostgresLogReader(self.datastore, self._listener, decoder)

    @property
    def reader(self) -> PostgresLogReader:
        return self._reader

    def recorder(self) -> EventRecorder:
        """Return the library's recorder on this log, for tracking and subscriptions."""
        return EventRecorder(self.datastore)

    def acquire(self) -> PostgresLogWriter | None:
        try:
            # Look first on a pooled connection: a standby looks again and again.
            with self.datastore.rows() as cursor:
                if not lease.is_open(cursor):
                    return None
            return self._take()
        except (LogUnavailable, psycopg.OperationalError, psycopg.InterfaceError):
            # Without Postgres nobody can take the lease.
            return None

    def _take(self) -> PostgresLogWriter | None:
        connection = connect(self._database_url, name="bourse-writer")
        is_leading = False
        try:
            # A process that is stopped within an append must not block its successor.
            connection.execute("SET idle_in_transaction_session_timeout = '10s'")
            epoch = lease.take(connection)
            if epoch is None:
                return None
            companions.take_over(connection, epoch)
            is_leading = True
        finally:
            if not is_leading:
                connection.close()
        heartbeat = lease.Heartbeat(
            self._database_url, epoch=epoch, backend_pid=connection.info.backend_pid
        )
        return PostgresLogWriter(connection, heartbeat, epoch)

    def close(self) -> None:
        """Close the connections of the readers. A writer's caller closes the writer."""
        self._listener.close()
        self.datastore.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

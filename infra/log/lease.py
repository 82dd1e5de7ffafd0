"""The lease on the log: one process may append, in one epoch, on one connection.

    log_lease      epoch, holder and the holder's backend; each append locks this row
                   FOR SHARE and commits nothing unless the epoch is its own
    log_heartbeat  the holder's heartbeat, twice a second, by the database's clock

The lease is open in three cases. Nobody has it. Or the holder's backend is gone: its
connection was lost, and a holder never opens a second one. Or the last heartbeat is
three seconds old: a stopped process keeps its connection for ever.

A new holder first ends the old backend and then writes the next epoch. The epoch alone
keeps the log right. Ending the backend first frees the locks of a stopped process.
"""

import os
import socket
import threading
from time import monotonic

import psycopg
from psycopg.rows import TupleRow

from infra.log.connection import connect

#: The only shard: the key of the row of the lease and of the heartbeat.
SHARD = "main"
BEAT_SECONDS = 0.5
STALE_SECONDS = 3.0

_STATE = """
    SELECT epoch,
        holder IS NULL OR NOT EXISTS (
            SELECT FROM pg_stat_get_activity(coalesce(backend_pid, 0)) AS backend
            WHERE coalesce(backend.backend_start = log_lease.backend_start, true)
        ) AS is_free,
        clock_timestamp() - beat_at > %s * interval '1 second' AS is_stale
    FROM log_lease JOIN log_heartbeat USING (shard, epoch)
    WHERE shard = %s
"""
# The start identifies a backend together with its pid, because pids come again.
_TERMINATE = """
    SELECT pg_terminate_backend(backend.pid, 2000)
    FROM log_lease, pg_stat_get_activity(coalesce(backend_pid, 0)) AS backend
    WHERE shard = %s AND backend.backend_start = log_lease.backend_start
"""
_TAKE = """
    UPDATE log_lease
    SET epoch = epoch + 1, holder = %s, backend_pid = backend.pid,
        backend_start = backend.backend_start
    FROM pg_stat_get_activity(pg_backend_pid()) AS backend
    WHERE shard = %s RETURNING epoch
"""
_FIRST_BEAT = """
    UPDATE log_heartbeat SET epoch = %s, beat_at = clock_timestamp() WHERE shard = %s
"""
_BEAT = """
    UPDATE log_heartbeat SET beat_at = clock_timestamp()
    WHERE shard = %s AND epoch = %s AND EXISTS (SELECT FROM pg_stat_get_activity(%s))
"""
_FREE = """
    UPDATE log_lease SET holder = NULL, backend_pid = NULL, backend_start = NULL
    WHERE shard = %s AND epoch = %s
"""


def is_open(cursor: psycopg.Cursor[TupleRow]) -> bool:
    """Return whether a process may take the lease now."""
    row = cursor.execute(_STATE, (STALE_SECONDS, SHARD)).fetchone()
    return row is None or bool(row[1] or row[2])


def take(connection: psycopg.Connection[TupleRow]) -> int | None:
    """Take the lease for this connection, and return the new epoch.

    Return None if another process holds the lease.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with connection.transaction(), connection.cursor() as cursor:
        # Processes that want the lease take turns here, so only the first gets it.
        cursor.execute(
            "SELECT FROM log_heartbeat WHERE shard = %s FOR UPDATE", (SHARD,)
        )
        if not is_open(cursor):
            return None
        cursor.execute(_TERMINATE, (SHARD,))
        row = cursor.execute(_TAKE, (holder, SHARD)).fetchone()
        assert row is not None, "the migration inserts the row of the lease"
        epoch = int(row[0])
        cursor.execute(_FIRST_BEAT, (epoch, SHARD))
    return epoch


def free(connection: psycopg.Connection[TupleRow], epoch: int) -> None:
    """Return the lease, unless another epoch has begun."""
    connection.execute(_FREE, (SHARD, epoch))


class Heartbeat:
    """Shows that a holder lives, from a separate thread and connection.

    A commit that waits long for the disk must not look like death, so the appending
    connection does not do this. A stopped process stops all its threads, and looks
    dead.
    """

    def __init__(self, database_url: str, *, epoch: int, backend_pid: int) -> None:
        self._database_url = database_url
        self._place = (SHARD, epoch, backend_pid)
        self._beaten_at = monotonic()
        self._is_lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="log-heartbeat", daemon=True
        )
        self._thread.start()

    def goes_on(self) -> bool:
        """Return False once the epoch is over, the backend gone or the beat too old."""
        return not self._is_lost and monotonic() - self._beaten_at < STALE_SECONDS

    def end(self) -> None:
        self._ended.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set() and not self._is_lost:
            try:
                with connect(self._database_url, name="bourse-heartbeat") as connection:
                    # A beat need not survive a crash of Postgres, so it skips the disk.
                    connection.execute("SET synchronous_commit = off")
                    self._beat(connection)
            except psycopg.Error:
                self._ended.wait(BEAT_SECONDS)

    def _beat(self, connection: psycopg.Connection[TupleRow]) -> None:
        while True:
            begun_at = monotonic()
            beaten = connection.execute(_BEAT, self._place, prepare=True).rowcount
            if not beaten:
                self._is_lost = True
                return
            self._beaten_at = begun_at
            if self._ended.wait(BEAT_SECONDS):
                return

"""Who may append to the log: one process, in one epoch, on one connection.

    log_lease      epoch, holder and the holder's backend; each append locks this row
                   FOR SHARE and finds its own epoch in it, or commits nothing
    log_heartbeat  beaten twice a second, by the database's clock

A lease may be taken when nobody has it, when the holder's backend is gone (its
connection was lost, and a holder never makes a second one), or when its heart has not
beaten for three seconds (a stopped process keeps its connection for ever). Whoever
takes it ends the old backend first and then writes the next epoch. The epoch alone
keeps the log right; ending the backend first makes sure that nobody waits for a lock
which a stopped process holds.
"""

import os
import socket
import threading
from time import monotonic

import psycopg
from psycopg.rows import TupleRow

from infra.log.connection import connect

#: The one shard there is: the row of the lease and of the heartbeat.
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
# A backend is known by its start too: numbers of processes are used again.
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
    """Whether the lease may be taken just now."""
    row = cursor.execute(_STATE, (STALE_SECONDS, SHARD)).fetchone()
    return row is None or bool(row[1] or row[2])


def take(connection: psycopg.Connection[TupleRow]) -> int | None:
    """Take the lease for this connection, which will append: the new epoch, or None."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with connection.transaction(), connection.cursor() as cursor:
        # Those who want the lease take turns here, and the second finds it taken.
        cursor.execute(
            "SELECT FROM log_heartbeat WHERE shard = %s FOR UPDATE", (SHARD,)
        )
        if not is_open(cursor):
            return None
        cursor.execute(_TERMINATE, (SHARD,))
        row = cursor.execute(_TAKE, (holder, SHARD)).fetchone()
        assert row is not None, "the row of the lease is made with its table"
        epoch = int(row[0])
        cursor.execute(_FIRST_BEAT, (epoch, SHARD))
    return epoch


def free(connection: psycopg.Connection[TupleRow], epoch: int) -> None:
    """Give the lease back, if it is still this epoch's."""
    connection.execute(_FREE, (SHARD, epoch))


class Heartbeat:
    """Shows that a holder lives, from a thread and a connection of its own.

    Of its own, because a commit that waits long for the disk must not look like death;
    a process that is stopped stops all its threads and does.
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
        """False once the epoch is over, the backend gone or no beat came through."""
        return not self._is_lost and monotonic() - self._beaten_at < STALE_SECONDS

    def end(self) -> None:
        self._ended.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set() and not self._is_lost:
            try:
                with connect(self._database_url, name="bourse-heartbeat") as connection:
                    # A beat need not survive a crash of Postgres, nor wait for a disk.
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

"""Saved states of the exchange in Postgres.

The chunks of the snapshot at log position 7 are stream `snapshot-7` of the library's
snapshot table, versions 1, 2, … A row of `snapshot_index` points to the snapshot once
Postgres has verified all chunks. The hash is SHA-256 over the SHA-256 of each chunk, so
Postgres verifies a snapshot by itself and no chunk travels twice.

A snapshot is a cache: the newest two stay, and readers skip one that does not verify.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from commands.ports import LogUnavailable, Snapshot
from domain.ids import LogPosition
from infra.log.connection import Datastore
from infra.log.read_ahead import read_ahead
from infra.log.recorder import SnapshotRecorder

KEPT = 2
#: Any number of ours: processes that save snapshots take turns.
_SAVING_LOCK = 4_011_950_002

_STORED: LiteralString = """
    SELECT count(*), sha256(
        coalesce(string_agg(sha256(state), '' ORDER BY originator_version), '')
    )
    FROM snapshots WHERE originator_id = %s
"""
# This also deletes what an interrupted save left behind.
_SWEEP: LiteralString = """
    DELETE FROM snapshots WHERE originator_id <> ALL (
        SELECT 'snapshot-' || log_position FROM snapshot_index
    )
"""
_POINT: LiteralString = """
    INSERT INTO snapshot_index (log_position, chunks, sha256) VALUES (%s, %s, %s)
"""
_DROP_OLD: LiteralString = """
    DELETE FROM snapshot_index WHERE log_position NOT IN (
        SELECT log_position FROM snapshot_index ORDER BY log_position DESC LIMIT %s
    )
"""


class SnapshotNotSaved(Exception):
    """Postgres holds other chunks than were written; nothing points to them."""

    code = "snapshot-not-saved"


class PostgresSnapshotStore:
    """A `SnapshotStore`. Its methods raise LogUnavailable."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore
        self._recorder = SnapshotRecorder(datastore)

    def newest(self) -> Snapshot | None:
        with self._datastore.rows() as cursor:
            index = cursor.execute(
                "SELECT log_position, chunks, sha256 FROM snapshot_index "
                "ORDER BY log_position DESC"
            ).fetchall()
            for position, count, digest in index:
                if self._verifies(cursor, position, count, bytes(digest)):
                    return Snapshot(position, self._chunks(position, count))
        return None

    def save(self, position: LogPosition, chunks: Iterator[bytes]) -> None:
        """Save a state. Raises SnapshotNotSaved."""
        with self._datastore.rows() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_SAVING_LOCK,))
            try:
                self._save(cursor, position, chunks)
            finally:
                if not cursor.connection.closed:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", (_SAVING_LOCK,))

    def _save(
        self,
        cursor: psycopg.Cursor[TupleRow],
        position: LogPosition,
        chunks: Iterable[bytes],
    ) -> None:
        cursor.execute(
            "DELETE FROM snapshot_index WHERE log_position = %s", (position,)
        )
        cursor.execute(_SWEEP)
        count, digest = self._write(position, chunks)
        if not self._verifies(cursor, position, count, digest):
            raise SnapshotNotSaved(
                f"the stored snapshot at {position} differs from what was written"
            )
        with cursor.connection.transaction():
            cursor.execute(_POINT, (position, count, digest))
            cursor.execute(_DROP_OLD, (KEPT,))
            cursor.execute(_SWEEP)

    def _write(
        self, position: LogPosition, chunks: Iterable[bytes]
    ) -> tuple[int, bytes]:
        whole = hashlib.sha256()
        count = 0
        for count, chunk in enumerate(chunks, start=1):
            whole.update(hashlib.sha256(chunk).digest())
            self._recorder.put(_stream(position), count, chunk)
        return count, whole.digest()

    def _verifies(
        self,
        cursor: psycopg.Cursor[TupleRow],
        position: LogPosition,
        count: int,
        digest: bytes,
    ) -> bool:
        row = cursor.execute(_STORED, (_stream(position),)).fetchone()
        return row is not None and (row[0], bytes(row[1])) == (count, digest)

    def _chunks(self, position: LogPosition, count: int) -> Iterator[bytes]:
        return read_ahead(self._fetched(position, count), name="snapshot")

    def _fetched(self, position: LogPosition, count: int) -> Iterator[bytes]:
        for number in range(1, count + 1):
            chunk = self._recorder.get(_stream(position), number)
            if chunk is None:
                raise LogUnavailable(f"the snapshot at {position} was replaced")
            yield chunk


def _stream(position: LogPosition) -> str:
    return f"snapshot-{position}"

"""The table `security_outbox`: refusals that are on their way into the log.

The id of a note becomes the command id of its fact. The append of the fact marks the
row in the same transaction (`infra/log/companions.py`), so after a crash a note is
either pending or recorded.
"""

from collections.abc import Sequence

import psycopg
from psycopg.rows import TupleRow

from domain.events.security import OperationForced, SecurityEvent
from domain.ids import LOG_START, CommandId
from infra.log.connection import Datastore
from infra.log.event_codec import EventDecoder, encode_event

#: The most notes that may wait; the outbox drops further ones.
PENDING_MAX = 1_000
#: How long a handled row stays. A server stops resending a note before that.
KEPT_MINUTES = 10

_ADD = """
    INSERT INTO security_outbox (note_id, fact)
    SELECT note_id, fact
    FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS note (note_id, fact, place)
    ORDER BY place
    LIMIT greatest(0, %s - (
        SELECT count(*) FROM security_outbox WHERE handled_at IS NULL
    ))
    ON CONFLICT DO NOTHING
"""
_KEEP = "INSERT INTO security_outbox (note_id, fact) VALUES (%s, %s)"
_PENDING = """
    SELECT note_id, fact FROM security_outbox WHERE handled_at IS NULL
    ORDER BY noted_at, note_id LIMIT %s
"""
_DROP = """
    UPDATE security_outbox SET handled_at = now()
    WHERE note_id = ANY(%s) AND handled_at IS NULL
"""
_SWEEP = """
    DELETE FROM security_outbox WHERE handled_at < now() - %s * interval '1 minute'
"""


def keep(cursor: psycopg.Cursor[TupleRow], forced: OperationForced) -> None:
    """Add the note of a forced operation, however many notes wait (rule FORCE-02)."""
    cursor.execute(_KEEP, (forced.meta.command_id, encode_event(forced)))


class PostgresSecurityOutbox:
    """A `SecurityOutbox`. Its methods raise LogUnavailable."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore
        self._decoder = EventDecoder()

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        ids = [note.meta.command_id for note in notes]
        facts = [encode_event(note) for note in notes]
        with self._datastore.rows() as cursor:
            cursor.execute(_ADD, (ids, facts, PENDING_MAX))

    def pending(self, limit: int) -> list[SecurityEvent]:
        with self._datastore.rows() as cursor:
            rows = cursor.execute(_PENDING, (limit,)).fetchall()
        facts = self._decoder.facts(
            (LOG_START, note_id, 0, state) for note_id, state in rows
        )
        return [each.event for each in facts if isinstance(each.event, SecurityEvent)]

    def drop(self, note_ids: Sequence[CommandId]) -> None:
        with self._datastore.rows() as cursor:
            cursor.execute(_DROP, (list(note_ids),))

    def sweep(self) -> None:
        with self._datastore.rows() as cursor:
            cursor.execute(_SWEEP, (KEPT_MINUTES,))

"""Writes logs into Postgres exactly as a test wants them, sound or not."""

from collections.abc import Sequence

from psycopg import sql

from domain.events.register import Fact, tag_of
from infra.log.connection import connect
from infra.log.event_codec import encode_event
from infra.log.migrations import migrate

_INSERT = sql.SQL(
    "INSERT INTO events (originator_id, originator_version, topic, state, "
    "notification_id) VALUES (%s, %s, %s, %s, %s)"
)


def write_log(database_url: str, facts: Sequence[Fact]) -> None:
    """Write facts to a new log with their positions and versions."""
    migrate(database_url)
    rows = [
        (
            fact.stream,
            fact.version,
            tag_of(type(fact.event)),
            encode_event(fact.event),
            fact.position,
        )
        for fact in facts
    ]
    with (
        connect(database_url, name="test") as connection,
        connection.cursor() as cursor,
    ):
        with connection.transaction():
            cursor.executemany(_INSERT, rows)
        # Advance the sequence, so that the next append follows these facts.
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), %s)",
            (max(len(rows), 1),),
        )

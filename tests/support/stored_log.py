"""Logs written into Postgres exactly as a test tells them, sound or not."""

from collections.abc import Iterable, Sequence

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
    """Put facts into a new log, with the positions and versions that they have."""
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
        # As an append would have left it, so that the next one comes after these.
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), %s)",
            (max(len(rows), 1),),
        )


def renumbered(facts: Iterable[Fact]) -> list[Fact]:
    """The same facts without a gap, as a careful forger would leave them."""
    versions: dict[str, int] = {}
    found: list[Fact] = []
    for position, fact in enumerate(facts, start=1):
        version = versions[fact.stream] = versions.get(fact.stream, 0) + 1
        found.append(Fact(position, fact.stream, version, fact.event))
    return found

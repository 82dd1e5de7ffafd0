"""Writes logs into Postgres exactly as a test wants them, sound or not."""

from collections.abc import Sequence

from psycopg import sql

from domain.events.register import Fact, tag_of
from domain.events.user import RoleGranted, UserRegistered
from domain.vocabulary import Role
from infra.log.connection import connect
from infra.log.event_codec import encode_event
from infra.log.migrations import migrate

_INSERT = sql.SQL(
    "INSERT INTO events (originator_id, originator_version, topic, state, "
    "notification_id) VALUES (%s, %s, %s, %s, %s)"
)

_SIGN_IN = "INSERT INTO credentials VALUES (%s, %s, %s, 'no hash', %s)"


def _credentials(facts: Sequence[Fact]) -> list[tuple[str, str, str, list[str]]]:
    """Return the rows that registrations and roles commit with their facts."""
    roles: dict[str, set[str]] = {}
    for fact in facts:
        if isinstance(fact.event, RoleGranted):
            roles.setdefault(fact.stream, {Role.TRADER}).add(fact.event.role)
    return [
        (
            fact.event.claim,
            fact.stream.removeprefix("user-"),
            fact.event.account_id,
            sorted(roles.get(fact.stream, {Role.TRADER})),
        )
        for fact in facts
        if isinstance(fact.event, UserRegistered)
    ]


def write_log(database_url: str, facts: Sequence[Fact]) -> None:
    """Write facts to a new log with their positions and versions, and credentials."""
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
            cursor.executemany(_SIGN_IN, _credentials(facts))
        # Advance the sequence, so that the next append follows these facts.
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), %s)",
            (max(len(rows), 1),),
        )

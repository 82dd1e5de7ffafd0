"""Checks of Postgres: version, durability, clock, schema and snapshots."""

from datetime import datetime

from infra.backup import aside
from infra.doctor.finding import (
    START,
    Finding,
    NoAnswer,
    NotChecked,
    ok,
    unknown,
    wrong,
)
from infra.doctor.installation import Connection, Installation, first_row
from infra.log.migrations import NEWEST, SchemaRefused, schema_number
from infra.runtime.clock import SystemClock

#: Older ones lack what the migrations use, such as CREATE OR REPLACE TRIGGER.
VERSION_MIN = 14
CONNECTIONS_FREE_MIN = 10
CLOCKS_APART_MAX_MS = 1_000
#: A server saves a snapshot every BOURSE_SNAPSHOT_EVERY events.
SNAPSHOTS_MISSED_MAX = 2

_CONNECTIONS = """
    SELECT current_setting('server_version'),
        current_setting('server_version_num')::int / 10000,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int
"""
_DURABILITY = """
    SELECT name, setting, source FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
    ORDER BY name
"""
_NEWEST = "SELECT at FROM audit_events ORDER BY log_position DESC LIMIT 1"


def postgres(installation: Installation) -> Finding:
    """Check that Postgres answers, is new enough and has connections left."""
    try:
        row = installation.in_postgres(lambda c: first_row(c, _CONNECTIONS))
    except NoAnswer as reason:
        log = "its log"
        if installation.is_embedded:
            log = f"its log, {installation.home / 'postgres' / 'log'}"
        return wrong(
            str(reason),
            f"it is down, stopped or out of reach: see {log}, its disk and its host",
        )
    except NotChecked as reason:
        return unknown(str(reason), START)
    version, major, used, most = row
    says = f"PostgreSQL {version}, {used} of {most} connections in use"
    if major < VERSION_MIN:
        return wrong(says, f"install PostgreSQL {VERSION_MIN} or newer")
    if most - used < CONNECTIONS_FREE_MIN:
        return wrong(says, "raise max_connections, or end what holds connections")
    return ok(says)


def durability(installation: Installation) -> Finding:
    """Check the settings on which "an answer means durable" rests."""
    rows = installation.in_postgres(lambda c: c.execute(_DURABILITY).fetchall())
    says = ", ".join(f"{name} {setting}" for name, setting, _ in rows)
    off = [
        f"{name} (set by: {source})" for name, value, source in rows if value == "off"
    ]
    if off:
        return wrong(
            says,
            f"switch on {' and '.join(off)} and restart Postgres: a crash could lose "
            "or damage what was acknowledged",
        )
    return ok(says)


def clock(installation: Installation) -> Finding:
    """Compare the clock of this machine with Postgres's and with the newest fact."""
    our = SystemClock().now

    def ask(connection: Connection) -> tuple[int, int, datetime | None]:
        before = our()
        theirs = first_row(connection, _epoch_of("clock_timestamp()"))[0]
        apart = theirs - (before + our()) // 2
        newest = None
        if schema_number(connection):
            row = connection.execute(_NEWEST).fetchone()
            newest = row[0] if row else None
        return apart // 1_000, before, newest

    apart_ms, now, newest = installation.in_postgres(ask)
    if abs(apart_ms) > CLOCKS_APART_MAX_MS:
        side = "ahead of" if apart_ms > 0 else "behind"
        return wrong(
            f"Postgres's clock is {abs(apart_ms) / 1_000:,.1f} s {side} ours",
            "synchronize both machines (chrony, systemd-timesyncd)",
        )
    ahead_ms = 0 if newest is None else _microseconds(newest) // 1_000 - now // 1_000
    if ahead_ms > CLOCKS_APART_MAX_MS:
        return wrong(
            f"the newest fact is {ahead_ms / 1_000:,.1f} s from now, in the future",
            "our clock was set back, or another leader's was ahead: synchronize the "
            "clocks; the log position says what came first",
        )
    return ok(f"Postgres's clock and ours are {abs(apart_ms)} ms apart")


def _epoch_of(moment: str) -> str:
    return f"SELECT (extract(epoch FROM {moment}) * 1000000)::bigint"


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def schema(installation: Installation) -> Finding:
    """Compare the migrations of the database with those of this version."""
    try:
        number, rest = installation.in_postgres(
            lambda c: (schema_number(c), _has_rest_of_restore(c))
        )
    except SchemaRefused as reason:
        return wrong(str(reason), "install that version of Bourse, or restore a backup")
    if rest:
        return wrong(
            f"there is a schema {aside.SCHEMA}, which a restore uses",
            "wait for that restore. If it was killed, the next one removes the schema, "
            f"or you: DROP SCHEMA {aside.SCHEMA} CASCADE",
        )
    if not number:
        return ok("the database has no log yet; the first start makes it")
    if number < NEWEST:
        return ok(
            f"migration {number} of {NEWEST}; the next start applies the rest, so "
            "take a backup first"
        )
    return ok(f"migration {number}, the newest")


def _has_rest_of_restore(connection: Connection) -> bool:
    query = f"SELECT to_regnamespace('{aside.SCHEMA}') IS NOT NULL"
    return bool(first_row(connection, query)[0])


def snapshot(installation: Installation) -> Finding:
    """Check how much log a restart has to replay."""

    def ask(connection: Connection) -> tuple[int, int]:
        if not schema_number(connection):
            return 0, 0
        head = first_row(connection, "SELECT max(notification_id) FROM events")[0]
        newest = first_row(connection, "SELECT max(log_position) FROM snapshot_index")
        return head or 0, newest[0] or 0

    head, newest = installation.in_postgres(ask)
    every = installation.settings.snapshot_every
    behind = head - newest
    says = f"none yet; a restart replays {head:,} positions"
    if newest:
        says = f"the newest is {behind:,} positions behind the head, {head:,}"
    if behind > SNAPSHOTS_MISSED_MAX * every:
        return wrong(
            says,
            f"`bourse snapshot` saves one; a server does so every {every:,} events, so "
            "look at its log: a restart replays what no snapshot has",
        )
    return ok(says)

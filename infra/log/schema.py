"""The tables of Bourse in Postgres, and how they come to be.

    events          the log: the library's table, made immutable
    events_lock     empty; whoever appends locks it, so the log has one order
    log_lease       who may append, and in which epoch
    log_heartbeat   when that holder was last seen alive
    tracking        how far each host with effects outside has come (the library's)
    snapshots       saved states, in chunks (the library's)
    snapshot_index  which of them are whole, newest last
    personal_keys   one wrapped key for each user
    installation    this installation's own facts: schema version, secret
    audit_events    a view: the log, readable with SQL

The lease and its heartbeat are two rows on purpose: an append locks the first, so a
slow commit would keep the heart from beating if they were one.
"""

from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from infra.log.connection import connect

#: Raise it with every change below.
VERSION = "2"
SHARD = "main"
#: Any number of ours: processes that create the schema at once take turns.
_CREATION_LOCK = 4_011_950_001

#: What a backup keeps, with the columns. The lease is not: it belongs to the living.
TABLES: tuple[tuple[LiteralString, LiteralString], ...] = (
    (
        "events",
        "notification_id, originator_id, originator_version, topic, state",
    ),
    ("tracking", "application_name, notification_id"),
    ("snapshots", "originator_id, originator_version, topic, state"),
    ("snapshot_index", "log_position, chunks, sha256, created_at"),
    ("personal_keys", "user_id, wrapped_key"),
    ("installation", "name, value"),
)

_STATEMENTS: tuple[LiteralString, ...] = (
    """
    CREATE TABLE IF NOT EXISTS events (
        originator_id text NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        notification_id bigserial NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    )
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS events_notification_id_idx
        ON events (notification_id)
    """,
    "CREATE TABLE IF NOT EXISTS events_lock ()",
    """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the log is immutable: % on % is refused', TG_OP, TG_TABLE_NAME;
    END
    $$
    """,
    """
    CREATE OR REPLACE TRIGGER events_are_immutable
        BEFORE UPDATE OR DELETE OR TRUNCATE ON events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TABLE IF NOT EXISTS log_lease (
        shard text PRIMARY KEY,
        epoch bigint NOT NULL,
        holder text,
        backend_pid integer,
        backend_start timestamptz
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS log_heartbeat (
        shard text PRIMARY KEY,
        epoch bigint NOT NULL,
        beat_at timestamptz NOT NULL
    )
    """,
    "INSERT INTO log_lease VALUES ('main', 0) ON CONFLICT DO NOTHING",
    "INSERT INTO log_heartbeat VALUES ('main', 0, 'epoch') ON CONFLICT DO NOTHING",
    """
    CREATE TABLE IF NOT EXISTS tracking (
        application_name text PRIMARY KEY,
        notification_id bigint
    )
    """,
    # The mark by which the library knows its table of one row for each application.
    "INSERT INTO tracking VALUES ('__migration__', 1) ON CONFLICT DO NOTHING",
    """
    CREATE TABLE IF NOT EXISTS snapshots (
        originator_id text NOT NULL,
        originator_version bigint NOT NULL,
        topic text,
        state bytea,
        PRIMARY KEY (originator_id, originator_version)
    )
    """,
    # Chunks are compressed already or nearly random; trying again costs time only.
    "ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL",
    """
    CREATE TABLE IF NOT EXISTS snapshot_index (
        log_position bigint PRIMARY KEY,
        chunks integer NOT NULL,
        sha256 bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS personal_keys (
        user_id text PRIMARY KEY,
        wrapped_key bytea NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS installation (
        name text PRIMARY KEY,
        value text NOT NULL
    )
    """,
    """
    CREATE OR REPLACE VIEW audit_events AS
    SELECT
        notification_id AS log_position,
        originator_id AS stream,
        originator_version AS version,
        topic,
        timestamptz 'epoch' + (data #>> '{meta,at}')::bigint
            * interval '1 microsecond' AS at,
        data #>> '{meta,actor}' AS actor,
        data #>> '{meta,command_id}' AS command_id,
        coalesce(data #>> '{meta,correlation}', data #>> '{meta,command_id}')
            AS correlation_id,
        data
    FROM events, LATERAL (
        -- A NUL in a single text would make all of the log unreadable.
        SELECT replace(convert_from(state, 'UTF8'), '\\u0000', '\\ufffd')::jsonb AS data
    ) AS form
    """,
)


def create_schema(database_url: str) -> None:
    """Make what is missing. Safe beside a live server, and for two at once."""
    with connect(database_url, name="bourse-schema") as connection:
        # Looked at first, because even IF NOT EXISTS takes locks that stop a writer.
        if _is_current(connection):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATION_LOCK,))
            if _is_current(connection):
                return
            for statement in _STATEMENTS:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO installation VALUES ('schema', %s) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (VERSION,),
            )


def _is_current(connection: psycopg.Connection[TupleRow]) -> bool:
    found = connection.execute("SELECT to_regclass('installation')").fetchone()
    if found is None or found[0] is None:
        return False
    row = connection.execute(
        "SELECT value FROM installation WHERE name = 'schema'"
    ).fetchone()
    return row is not None and row[0] == VERSION

"""Numbered files create the tables, each applied once, from any older schema."""

import threading
from pathlib import Path

import psycopg
import pytest
from psycopg.abc import Query

from infra.log.connection import connect
from infra.log.event_store import PostgresEventStore
from infra.log.migrations import (
    LEFT_OUT,
    MIGRATIONS,
    NEWEST,
    TABLES,
    Migration,
    MigrationChanged,
    SchemaNewer,
    migrate,
    schema_number,
)
from tests.infra.sample_events import SampleStream
from tests.support.command_line import Bourse

PATIENCE = 20
UNNUMBERED = Path(__file__).parents[1] / "golden" / "unnumbered_schema.sql"
#: Fails until the table `gate` has a row.
GATE = b"SELECT 1 / count(*) FROM gate"


def run(database_url: str, query: Query) -> list[tuple[object, ...]]:
    with connect(database_url, name="test") as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def recorded(database_url: str) -> list[tuple[object, ...]]:
    return run(database_url, "SELECT number, name, sha256 FROM migrations ORDER BY 1")


def shape(database_url: str) -> list[tuple[object, ...]]:
    """Return columns, indexes, triggers, functions and views of a database."""
    return run(
        database_url,
        """
        SELECT table_name, column_name, data_type || is_nullable || coalesce(
            column_default, '') FROM information_schema.columns
            WHERE table_schema = 'public'
        UNION SELECT tablename, indexname, indexdef FROM pg_indexes
            WHERE schemaname = 'public'
        UNION SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
            FROM pg_trigger WHERE NOT tgisinternal
        UNION SELECT proname, '', prosrc FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace
        UNION SELECT viewname, '', definition FROM pg_views
            WHERE schemaname = 'public'
        UNION SELECT relname, attname, attstorage::text FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        ORDER BY 1, 2, 3
        """,
    )


def another(number: int, sql: bytes) -> Migration:
    return Migration(NEWEST + number, f"another_{number}", sql)


def test_an_empty_database_gets_every_table_once(database_url: str):
    migrate(database_url)
    before = recorded(database_url)
    migrate(database_url)

    assert before == [(each.number, each.name, each.sha256) for each in MIGRATIONS]
    assert recorded(database_url) == before


def test_numbers_follow_each_other_and_stand_in_the_names():
    assert [each.number for each in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert all(each.name.startswith(f"{each.number:04}_") for each in MIGRATIONS)


def test_a_backup_holds_every_table_or_leaves_it_out_knowingly(database_url: str):
    migrate(database_url)

    tables = run(
        database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )

    named = {each.name for each in TABLES}
    assert named.isdisjoint(LEFT_OUT)
    assert {name for (name,) in tables} == named | set(LEFT_OUT)


def test_a_database_without_numbers_is_adopted_as_it_is(
    database_url: str, empty_url: str
):
    run(database_url, UNNUMBERED.read_bytes())
    stream = SampleStream()
    run(
        database_url,
        "INSERT INTO events (originator_id, originator_version, topic, state) "
        "VALUES ('user-1', 1, 'user.role-granted', convert_to("
        """'{"type":"user.role-granted","meta":{"at":5,"actor":"a","command_id":"c"},"""
        """"role":"admin"}', 'UTF8'))""",
    )
    where = "SELECT pg_relation_filenode('events'), xmin, ctid FROM events"
    before = run(database_url, where)

    migrate(database_url)
    migrate(empty_url)

    assert run(database_url, where) == before
    assert recorded(database_url) == recorded(empty_url)
    assert shape(database_url) == shape(empty_url)
    with PostgresEventStore(database_url) as store:
        writer = store.acquire()
        assert writer is not None
        assert writer.append(stream.events()) == 2
        writer.close()


def test_the_number_of_a_database_is_that_of_its_newest_migration(database_url: str):
    numbers: list[int] = []

    with connect(database_url, name="test") as connection:
        numbers.append(schema_number(connection))
        connection.execute(UNNUMBERED.read_bytes())
        numbers.append(schema_number(connection))
        migrate(database_url)
        numbers.append(schema_number(connection))

    assert numbers == [0, 1, NEWEST]


def test_an_interrupted_migration_leaves_nothing_and_continues(database_url: str):
    first = another(1, b"CREATE TABLE gate (name text)")
    second = another(2, b"CREATE TABLE half (); " + GATE)
    files = (*MIGRATIONS, first, second)

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database_url, files)

    assert run(database_url, "SELECT to_regclass('half')") == [(None,)]
    assert len(recorded(database_url)) == NEWEST + 1
    run(database_url, "INSERT INTO gate VALUES ('open')")
    migrate(database_url, files)
    assert len(recorded(database_url)) == NEWEST + 2


def test_a_repeatable_file_continues_from_its_beginning(database_url: str):
    files = (
        *MIGRATIONS,
        another(1, b"CREATE TABLE gate (name text)"),
        another(
            2,
            b"-- repeatable\nDROP INDEX CONCURRENTLY IF EXISTS topics\n-- next\n"
            b"CREATE INDEX CONCURRENTLY topics ON events (topic)\n-- next\n" + GATE,
        ),
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database_url, files)
    assert len(recorded(database_url)) == NEWEST + 1

    run(database_url, "INSERT INTO gate VALUES ('open')")
    migrate(database_url, files)

    assert len(recorded(database_url)) == NEWEST + 2
    assert run(
        database_url,
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'topics'::regclass",
    ) == [(True,)]


def test_processes_that_come_at_once_apply_each_file_once(database_url: str):
    files = (
        *MIGRATIONS,
        another(1, b"CREATE TABLE once ()"),
        another(
            2, b"-- repeatable\nCREATE INDEX CONCURRENTLY topics ON events (topic)"
        ),
        another(3, b"CREATE TABLE twice ()"),
    )
    ended: list[int] = []

    def come() -> None:
        migrate(database_url, files)
        ended.append(len(recorded(database_url)))

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert ended == [NEWEST + 3] * 4


def test_a_migrated_database_is_only_read(database_url: str):
    migrate(database_url)
    with connect(database_url, name="test") as connection, connection.transaction():
        # This lock conflicts with every lock of a writer.
        for table in TABLES:
            if table.name != "installation":
                connection.execute(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE")
        connection.execute("LOCK TABLE migrations IN EXCLUSIVE MODE")

        migrate(database_url)


def test_an_older_server_may_append_while_the_database_is_migrated(database_url: str):
    run(database_url, UNNUMBERED.read_bytes())
    with connect(database_url, name="test") as connection, connection.transaction():
        # An append holds this lock until its commit.
        connection.execute("LOCK TABLE events_lock IN EXCLUSIVE MODE")
        connection.execute("SELECT FROM log_lease FOR SHARE")
        connection.execute("INSERT INTO events VALUES ('s', 1, 't', '{}')")

        migrate(database_url)

    assert len(recorded(database_url)) == NEWEST


def test_an_older_program_refuses_a_newer_schema(bourse: Bourse):
    newer = another(1, b"CREATE TABLE newer ()")
    migrate(bourse.database_url, (*MIGRATIONS, newer))

    with pytest.raises(SchemaNewer, match=f"migration {newer.number} "):
        PostgresEventStore(bourse.database_url)

    for words in (["snapshot"], ["audit", "verify"], ["backup", "nowhere"]):
        assert bourse.json(*words, code=1)["error"] == "schema-newer"


def test_a_file_that_was_changed_after_it_was_applied_is_refused(bourse: Bourse):
    migrate(bourse.database_url, (*MIGRATIONS[:-1], MIGRATIONS[-1]._replace(sql=b"")))

    with pytest.raises(MigrationChanged, match=MIGRATIONS[-1].name):
        migrate(bourse.database_url)

    assert bourse.json("snapshot", code=1)["error"] == "migration-changed"

"""The schema of Postgres in which a restore fills and checks a log before the switch.

Everything happens in the schema `bourse_restore`, which no server reads. The switch is
one transaction: it drops the tables that were there, and moves these to their place. A
restore that fails or is killed before the commit leaves the old tables as they were.
The next restore removes the schema that a killed one left.
"""

from typing import LiteralString
from zipfile import ZipFile

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from infra.backup.archive import Manifest, Progress, blocks, tables_of
from infra.backup.errors import BackupDamaged
from infra.log.connection import connect, parameters
from infra.log.lease import SHARD
from infra.log.migrations import KeptTable, make_schema, migrate

SCHEMA: LiteralString = "bourse_restore"

_OBJECTS: LiteralString = """
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relname, ''
    FROM pg_class
    WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT 'FUNCTION', proname, format('(%%s)', pg_get_function_identity_arguments(oid))
    FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
"""
_KINDS: dict[str, SQL] = {kind: SQL(kind) for kind in ("TABLE", "VIEW", "FUNCTION")}


def url_of(database_url: str) -> str:
    """Return the URL of the same database with the schema aside as its only one."""
    known = parameters(database_url)
    options = f"{known.get('options', '')} -c search_path={SCHEMA}".strip()
    return make_conninfo("", **(known | {"options": options}))


def remove(connection: psycopg.Connection[TupleRow]) -> None:
    """Remove the schema, with what an earlier restore left in it."""
    connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def fill(
    database_url: str, archive: ZipFile, manifest: Manifest, progress: Progress
) -> None:
    """Fill the schema from a file, then migrate it to the schema of today."""
    url = url_of(database_url)
    with (
        connect(url, name="bourse-restore") as connection,
        connection.transaction(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        make_schema(connection, manifest.number)
        for table in tables_of(manifest.number):
            _fill_table(cursor, archive, manifest, table, progress)
        cursor.execute(
            "SELECT setval("
            "pg_get_serial_sequence('events', 'notification_id'), %s, %s)",
            (max(manifest.head, 1), manifest.head > 0),
        )
    migrate(url)


def _fill_table(
    cursor: psycopg.Cursor[TupleRow],
    archive: ZipFile,
    manifest: Manifest,
    table: KeptTable,
    progress: Progress,
) -> None:
    name, columns, _ = table
    rows = manifest.tables[name].rows
    size, done = archive.getinfo(name).file_size, 0
    if name != "events":
        # A new schema comes with rows; those of the backup replace them.
        cursor.execute(f"DELETE FROM {name}")
    with cursor.copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT binary)") as copy:
        for block in blocks(archive, name):
            copy.write(block)
            done += len(block)
            progress(name, rows * done // size, rows)
    if cursor.rowcount != rows:
        raise BackupDamaged(f"{name} has {cursor.rowcount} rows instead of {rows}")


def set_epoch(cursor: psycopg.Cursor[TupleRow], epoch: int) -> None:
    """Set the epoch of the lease aside. The next holder gets a higher one."""
    for table in ("log_lease", "log_heartbeat"):
        cursor.execute(
            f"UPDATE {SCHEMA}.{table} SET epoch = %s WHERE shard = %s", (epoch, SHARD)
        )


def switch(cursor: psycopg.Cursor[TupleRow], to: str) -> None:
    """Replace the objects in a schema with those aside, in the caller's transaction."""
    objects: list[tuple[str, str, str]] = cursor.execute(
        _OBJECTS, {"schema": SCHEMA}
    ).fetchall()
    for kind, name, arguments in objects:
        old = _named(to, name, arguments)
        cursor.execute(SQL("DROP {} IF EXISTS {} CASCADE").format(_KINDS[kind], old))
    for kind, name, arguments in objects:
        cursor.execute(
            SQL("ALTER {} {} SET SCHEMA {}").format(
                _KINDS[kind], _named(SCHEMA, name, arguments), Identifier(to)
            )
        )
    cursor.execute(f"DROP SCHEMA {SCHEMA}")


def _named(schema: str, name: str, arguments: str) -> Composed:
    # Postgres quotes the types in the arguments of a function itself.
    signature = SQL(arguments)  # pyright: ignore[reportArgumentType] # see above
    return Composed([Identifier(schema, name), signature])

"""The tables of Bourse in Postgres, and the numbered SQL files that create them.

    events          the log: the library's table, made immutable
    events_lock     empty; every append locks it, so the log has one order
    log_lease       who may append, and in which epoch
    log_heartbeat   when that holder last showed that it lives
    tracking        the log position that each host with outside effects has reached
    snapshots       saved states, in chunks (the library's)
    snapshot_index  which snapshots are whole, newest last
    personal_keys   one wrapped key for each user
    installation    properties of this installation, such as its secret
    credentials     what logins are checked against
    credentials_writer   the newest epoch that wrote credentials
    security_outbox  refusals that the writer has yet to record
    view_generations     fillings of the read models that grow with history
    view_rows       the rows of their tables
    view_entries    the entries of their collections
    migrations      the files applied to this database: number, name, hash, time
    audit_events    a view: the log, readable with SQL

Each file of `sql/` is one transaction, which also records the file in `migrations`. An
interrupted migration leaves nothing behind; the next start applies that file again. A
file that cannot be one transaction (`CREATE INDEX CONCURRENTLY`) begins with the line

    -- repeatable

Lines `-- next` separate its statements, which run one by one. The file is recorded
after the last statement, so every statement must be able to run again.

    SchemaRefused
    ├── SchemaNewer        this program does not know a migration of the database
    └── MigrationChanged   a file differs from the one that was applied
"""

import hashlib
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import LiteralString, NamedTuple

import psycopg
from psycopg.rows import TupleRow

from infra.log.connection import connect

#: Any number of ours: processes that migrate one database take turns.
_TURN_LOCK = 4_011_950_001
_TURN_LOOK_SECONDS = 0.1
_REPEATABLE = b"-- repeatable\n"
_NEXT = b"\n-- next\n"
#: The version in `installation` of a database that has the tables of 0001 and no table
#: `migrations`.
_UNNUMBERED = "2"


class KeptTable(NamedTuple):
    """A table that a backup holds. Migration `since` created it."""

    name: LiteralString
    columns: LiteralString
    since: int = 1


TABLES = (
    KeptTable(
        "events", "notification_id, originator_id, originator_version, topic, state"
    ),
    KeptTable("tracking", "application_name, notification_id"),
    KeptTable("snapshots", "originator_id, originator_version, topic, state"),
    KeptTable("snapshot_index", "log_position, chunks, sha256, created_at"),
    KeptTable("personal_keys", "user_id, wrapped_key"),
    KeptTable("installation", "name, value"),
    KeptTable(
        "credentials",
        "claim, user_id, account_id, password_hash, roles",
        since=2,
    ),
    KeptTable("credentials_writer", "shard, epoch, log_position", since=2),
    KeptTable("security_outbox", "note_id, fact, noted_at, handled_at", since=3),
)
#: The read models in Postgres. The next start fills them from the log.
VIEW_TABLES: tuple[LiteralString, ...] = (
    "view_generations",
    "view_rows",
    "view_entries",
)
#: Tables that a backup leaves out. The lease belongs to running servers, the list of
#: migrations to the database.
LEFT_OUT: tuple[LiteralString, ...] = (
    "events_lock",
    "log_lease",
    "log_heartbeat",
    "migrations",
    *VIEW_TABLES,
)

_CREATE_REGISTER = """
    CREATE TABLE IF NOT EXISTS migrations (
        number integer PRIMARY KEY,
        name text NOT NULL,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class SchemaRefused(Exception):
    """This program must not use that database, and changed nothing in it."""

    code = "schema-refused"


class SchemaNewer(SchemaRefused):
    code = "schema-newer"

    def __init__(self, *, number: int, name: str, newest: int) -> None:
        super().__init__(
            f"the database has migration {number} ({name}), but this version of Bourse "
            f"knows migrations up to {newest} only; start the newer version"
        )


class MigrationChanged(SchemaRefused):
    code = "migration-changed"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"the file of migration {name} differs from the one that was applied to "
            "this database; install the version of Bourse that applied it"
        )


class Migration(NamedTuple):
    """One file. `name` is the file's name without `.sql`, `number` its first digits."""

    number: int
    name: str
    sql: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql).hexdigest()

    @property
    def is_repeatable(self) -> bool:
        return self.sql.startswith(_REPEATABLE)


def shipped() -> tuple[Migration, ...]:
    """Return the migrations of this program in the order of their numbers."""
    migrations = [
        Migration(int(each.name[:4]), each.name.removesuffix(".sql"), each.read_bytes())
        for each in files("infra.log").joinpath("sql").iterdir()
        if each.name.endswith(".sql")
    ]
    return tuple(sorted(migrations))


MIGRATIONS = shipped()
#: The number of this program's schema.
NEWEST = MIGRATIONS[-1].number


def migrate(database_url: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply each missing migration once. Concurrent processes take turns.

    If nothing is missing, this only reads, so a live writer never waits.

    Raises:
        SchemaRefused: a newer program, or one with other files, migrated the database.
    """
    with connect(database_url, name="bourse-migrations") as connection:
        if not _missing(connection, migrations):
            return
        with _turn(connection):
            connection.execute(_CREATE_REGISTER)
            for migration in _missing(connection, migrations):
                _apply(connection, migration)


def schema_number(connection: psycopg.Connection[TupleRow]) -> int:
    """Return the number of the newest migration of a database, 0 for an empty one.

    Raises:
        SchemaRefused: a newer program, or one with other files, migrated the database.
    """
    _missing(connection, MIGRATIONS)
    unnumbered = 1 if _has_unnumbered_tables(connection) else 0
    return max(_applied(connection), default=unnumbered)


def make_schema(connection: psycopg.Connection[TupleRow], number: int) -> None:
    """Create the tables as one migration left them, in the caller's transaction.

    Repeatable files are skipped: they only speed things up, and `migrate` applies them
    later.
    """
    connection.execute(_CREATE_REGISTER)
    for migration in MIGRATIONS:
        if migration.number <= number and not migration.is_repeatable:
            connection.execute(migration.sql)
            _record(connection, migration)


def _missing(
    connection: psycopg.Connection[TupleRow], migrations: Sequence[Migration]
) -> list[Migration]:
    """Return the migrations that are not applied yet. Raises SchemaRefused."""
    applied = _applied(connection)
    known = {each.number: each for each in migrations}
    for number, (name, sha256) in applied.items():
        if number not in known:
            raise SchemaNewer(number=number, name=name, newest=max(known))
        if sha256 != known[number].sha256:
            raise MigrationChanged(name=name)
    return [each for each in migrations if each.number not in applied]


def _applied(
    connection: psycopg.Connection[TupleRow],
) -> dict[int, tuple[str, str]]:
    """Return the name and the hash of each applied migration, by its number."""
    if not _exists(connection, "migrations"):
        return {}
    rows = connection.execute("SELECT number, name, sha256 FROM migrations")
    return {number: (name, sha256) for number, name, sha256 in rows.fetchall()}


def _has_unnumbered_tables(connection: psycopg.Connection[TupleRow]) -> bool:
    """Return whether a Bourse without numbered migrations created the tables."""
    if not _exists(connection, "installation"):
        return False
    row = connection.execute(
        "SELECT value FROM installation WHERE name = 'schema'"
    ).fetchone()
    return row is not None and row[0] == _UNNUMBERED


def _exists(connection: psycopg.Connection[TupleRow], table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    return row is not None and row[0] is not None


@contextmanager
def _turn(connection: psycopg.Connection[TupleRow]) -> Generator[None]:
    """Hold the lock of migrations, and poll for it if another process has it.

    A statement that waits for the lock would hold a snapshot of Postgres. Building an
    index concurrently waits for the end of all such snapshots.
    """
    while True:
        row = connection.execute(
            "SELECT pg_try_advisory_lock(%s)", (_TURN_LOCK,)
        ).fetchone()
        if row is not None and row[0]:
            break
        time.sleep(_TURN_LOOK_SECONDS)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_TURN_LOCK,))


def _apply(connection: psycopg.Connection[TupleRow], migration: Migration) -> None:
    if migration.is_repeatable:
        for statement in migration.sql.split(_NEXT):
            connection.execute(statement)
        _record(connection, migration)
        return
    with connection.transaction():
        # While this waits for a lock, every later request for the table waits too.
        connection.execute("SET LOCAL lock_timeout = '5s'")
        if migration.number > 1 or not _has_unnumbered_tables(connection):
            connection.execute(migration.sql)
        _record(connection, migration)


def _record(connection: psycopg.Connection[TupleRow], migration: Migration) -> None:
    connection.execute(
        "INSERT INTO migrations (number, name, sha256) VALUES (%s, %s, %s)",
        (migration.number, migration.name, migration.sha256),
    )

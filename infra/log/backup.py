"""Writes everything that a rebuild cannot derive to one file, and restores that file.

The file is a zip: each table in the binary form of Postgres's COPY, and
`manifest.json`, which says what the tables must hold. It contains the personal keys
and, if BOURSE_SECRET_KEY was not set, the secret of the installation. Anyone with the
file can open the sealed data. The file is readable by its owner only; keep it so.

    BackupError
    ├── BackupUnreadable    the file is not a backup, or has another version
    ├── BackupDamaged       the content differs from the manifest
    ├── LogNotEmpty         a restore needs a database without events
    └── LogInUse            a server leads on that database
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec
import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from commands.ports import LogUnavailable
from domain.ids import LogPosition
from infra.log import lease
from infra.log.connection import connect
from infra.log.lease import SHARD
from infra.log.migrations import (
    LEFT_OUT,
    NEWEST,
    TABLES,
    VIEW_TABLES,
    KeptTable,
    make_schema,
    migrate,
    schema_number,
)

#: Called with a table's name, the number of its rows so far, and of all its rows.
Progress: TypeAlias = Callable[[str, int, int], None]

_FORMAT = 2
#: From before migrations had numbers: the tables of the first migration.
_OLD_FORMAT, _OLD_SCHEMA = 1, "2"
_MANIFEST = "manifest.json"
_BLOCK_BYTES = 1 << 20
#: Reading a damaged zip can raise any of these.
_DAMAGES = (
    BadZipFile,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    ValueError,
    zlib.error,
)


class BackupError(Exception):
    """A backup or a restore failed and changed nothing."""

    code = "backup-failed"


class BackupUnreadable(BackupError):
    code = "backup-unreadable"


class BackupDamaged(BackupError):
    code = "backup-damaged"


class LogNotEmpty(BackupError):
    code = "log-not-empty"


class LogInUse(BackupError):
    code = "log-in-use"


class CopiedTable(msgspec.Struct, frozen=True):
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """The description of a backup.

    `schema` is the number of the newest migration, `head` the newest log position.
    """

    format: int
    schema: int | str
    created_at: str
    head: LogPosition
    epoch: int
    tables: dict[str, CopiedTable]

    @property
    def number(self) -> int:
        """Return the number of the newest migration, in the old format too."""
        return self.schema if isinstance(self.schema, int) else 1


def ignore_progress(_table: str, _done: int, _rows: int) -> None:
    """Report no progress."""


def do_nothing() -> None:
    """Do nothing more before the commit."""


def backup(
    database_url: str, path: Path, *, progress: Progress = ignore_progress
) -> Manifest:
    """Write everything as it was at one moment to a file. A server may be at work.

    A whole new backup replaces an older one of that name, but never another file.
    Raises BackupError and LogUnavailable.
    """
    _check_place(path)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with (
            _connected(database_url) as connection,
            os.fdopen(
                os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b"
            ) as file,
        ):
            manifest = _write(connection, file, progress)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _check_place(path: Path) -> None:
    """Refuse to write over a device, or over a file that is not a backup."""
    if not path.parent.is_dir():
        raise BackupError(f"there is no folder {path.parent}")
    if path.exists() and not _is_backup(path):
        raise BackupError(f"{path} exists and is not a backup, so it stays; move it")


def _is_backup(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with _opened(path) as archive:
            return _MANIFEST in archive.namelist()
    except BackupUnreadable:
        return False


def restore(
    database_url: str,
    path: Path,
    *,
    progress: Progress = ignore_progress,
    before_commit: Callable[[], None] = do_nothing,
) -> Manifest:
    """Fill a database without events from a file: all of it, or nothing.

    The tables come back with the schema of the backup and are then migrated. If
    `before_commit` raises, nothing is restored.
    Raises BackupError, SchemaRefused and LogUnavailable.
    """
    with _opened(path) as archive:
        manifest = _verified(archive)
        with _connected(database_url) as connection:
            migrate(database_url)
            with connection.transaction(), connection.cursor() as cursor:
                _claim_empty_log(cursor)
                _forget_views(cursor)
                if manifest.number != NEWEST:
                    _go_back(cursor, manifest.number)
                for table in _tables_of(manifest.number):
                    _fill(cursor, archive, manifest, table, progress)
                _finish(cursor, manifest)
                before_commit()
            migrate(database_url)
    return manifest


def _forget_views(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Empty the read models: they show the empty log, not the one that comes."""
    for name in VIEW_TABLES:
        cursor.execute(SQL("TRUNCATE {}").format(Identifier(name)))


def _tables_of(number: int) -> list[KeptTable]:
    """Return the tables that a backup of a schema holds."""
    return [table for table in TABLES if table.since <= number]


def _go_back(cursor: psycopg.Cursor[TupleRow], number: int) -> None:
    """Replace the empty tables with those of an older schema.

    The lease keeps its epoch: no epoch may come twice.
    """
    row = cursor.execute(
        "SELECT epoch FROM log_lease WHERE shard = %s", (SHARD,)
    ).fetchone()
    assert row is not None, "the migration inserts the row of the lease"
    for name in (*LEFT_OUT, *(table.name for table in TABLES)):
        cursor.execute(SQL("DROP TABLE {} CASCADE").format(Identifier(name)))
    make_schema(cursor.connection, number)
    _raise_epoch(cursor, row[0])


@contextmanager
def _connected(database_url: str) -> Generator[psycopg.Connection[TupleRow]]:
    try:
        with connect(database_url, name="bourse-backup") as connection:
            yield connection
    except psycopg.OperationalError as reason:
        raise LogUnavailable(str(reason)) from reason
    except psycopg.errors.UndefinedTable as reason:
        raise BackupError("there is no log in that database") from reason


def _write(
    connection: psycopg.Connection[TupleRow], file: IO[bytes], progress: Progress
) -> Manifest:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with (
        ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive,
        connection.transaction(),
        connection.cursor() as cursor,
    ):
        number = schema_number(connection)
        if not number:
            raise BackupError("there is no log in that database")
        row = cursor.execute(
            "SELECT now()::text, coalesce(max(notification_id), 0), "
            "(SELECT epoch FROM log_lease WHERE shard = %s) FROM events",
            (SHARD,),
        ).fetchone()
        assert row is not None, "an aggregate has a row"
        tables = {
            table.name: _copy_out(cursor, archive, table, progress)
            for table in _tables_of(number)
        }
        manifest = Manifest(_FORMAT, number, row[0], row[1], row[2], tables)
        archive.writestr(_MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _copy_out(
    cursor: psycopg.Cursor[TupleRow],
    archive: ZipFile,
    table: KeptTable,
    progress: Progress,
) -> CopiedTable:
    name, columns, _ = table
    counted = cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
    rows = int(counted[0]) if counted else 0
    digest, block, done = hashlib.sha256(), bytearray(), 0
    with (
        archive.open(name, "w", force_zip64=True) as member,
        cursor.copy(f"COPY {name} ({columns}) TO STDOUT (FORMAT binary)") as copy,
    ):
        # Postgres sends one row at a time.
        for done, data in enumerate(copy):
            block += data
            if len(block) >= _BLOCK_BYTES:
                digest.update(block)
                member.write(block)
                block.clear()
                progress(name, min(done, rows), rows)
        digest.update(block)
        member.write(block)
    progress(name, rows, rows)
    return CopiedTable(rows, digest.hexdigest())


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except _DAMAGES as reason:
        raise BackupUnreadable(f"{path} is not a backup: {reason}") from reason


def _verified(archive: ZipFile) -> Manifest:
    """Check the file against its manifest, and return the manifest."""
    if _MANIFEST not in archive.namelist():
        raise BackupUnreadable("the file is not a backup: it has no manifest")
    written = b"".join(_blocks(archive, _MANIFEST))
    try:
        manifest = msgspec.json.decode(written, type=Manifest)
    except msgspec.MsgspecError as reason:
        raise BackupUnreadable(f"the manifest is malformed: {reason}") from reason
    _check_version(manifest)
    for name, _, _ in _tables_of(manifest.number):
        entry, digest = manifest.tables.get(name), hashlib.sha256()
        for block in _blocks(archive, name):
            digest.update(block)
        if entry is None or entry.sha256 != digest.hexdigest():
            raise BackupDamaged(f"the hash of {name} is not the one in the manifest")
    return manifest


def _check_version(manifest: Manifest) -> None:
    if (manifest.format, manifest.schema) == (_OLD_FORMAT, _OLD_SCHEMA):
        return
    if manifest.format == _FORMAT and manifest.schema in range(1, NEWEST + 1):
        return
    raise BackupUnreadable(
        f"the backup has format {manifest.format} and schema {manifest.schema}; this "
        f"version of Bourse reads format {_FORMAT} with schema 1 to {NEWEST}, and "
        f"format {_OLD_FORMAT} with schema {_OLD_SCHEMA}"
    )


def _blocks(archive: ZipFile, name: str) -> Generator[bytes]:
    """Yield the content of one member. Raises BackupDamaged."""
    try:
        if archive.getinfo(name).compress_type != ZIP_DEFLATED:
            # Other decompressors raise errors that we do not know.
            raise BadZipFile("it is not packed with deflate")
        with archive.open(name) as member:
            while block := member.read(_BLOCK_BYTES):
                yield block
    except _DAMAGES as reason:
        cause = str(reason) or type(reason).__name__
        raise BackupDamaged(f"the file is damaged, {name}: {cause}") from reason


def _claim_empty_log(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Lock the log and the lease until the transaction ends.

    Raises:
        LogNotEmpty, LogInUse: a restore must not touch this database.
    """
    cursor.execute("SELECT FROM log_heartbeat WHERE shard = %s FOR UPDATE", (SHARD,))
    cursor.execute("LOCK TABLE events_lock IN EXCLUSIVE MODE")
    if cursor.execute("SELECT FROM events LIMIT 1").fetchone() is not None:
        raise LogNotEmpty("the database has events already; restore into an empty one")
    if not lease.is_open(cursor):
        raise LogInUse("a server leads on that database; stop the server first")


def _fill(
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
        for block in _blocks(archive, name):
            copy.write(block)
            done += len(block)
            progress(name, rows * done // size, rows)
    if cursor.rowcount != rows:
        raise BackupDamaged(f"{name} has {cursor.rowcount} rows instead of {rows}")


def _finish(cursor: psycopg.Cursor[TupleRow], manifest: Manifest) -> None:
    head = manifest.head
    cursor.execute(
        "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), %s, %s)",
        (max(head, 1), head > 0),
    )
    # The next holder's epoch must be above every epoch of the restored log.
    _raise_epoch(cursor, manifest.epoch)


def _raise_epoch(cursor: psycopg.Cursor[TupleRow], epoch: int) -> None:
    for table in ("log_lease", "log_heartbeat"):
        cursor.execute(
            f"UPDATE {table} SET epoch = greatest(epoch, %s) WHERE shard = %s",
            (epoch, SHARD),
        )

"""One file that holds everything that cannot be made again, and the way back from it.

The file is a zip: each table as Postgres copies it in binary, and `manifest.json`,
which says what must be in them. It holds the personal keys and, where BOURSE_SECRET_KEY
was not set, the secret of the installation: whoever has the file can open what is
sealed in it. It is made readable for its owner only; keep it so.

    BackupError
    ├── BackupUnreadable    this is no backup, or one of another version
    ├── BackupDamaged       its content is not what its manifest says
    ├── LogNotEmpty         a restore goes into a database without events only
    └── LogInUse            a server leads on that database
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, LiteralString, TypeAlias
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec
import psycopg
from psycopg.rows import TupleRow

from commands.ports import LogUnavailable
from domain.ids import LogPosition
from infra.log import lease
from infra.log.connection import connect
from infra.log.schema import SHARD, TABLES, VERSION, create_schema

#: Called with a table's name, its rows done so far and all its rows.
Progress: TypeAlias = Callable[[str, int, int], None]

_FORMAT = 1
_MANIFEST = "manifest.json"
_BLOCK_BYTES = 1 << 20
#: What reading a zip can raise where its bytes are not those that were written.
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
    """A backup or a restore was not done; nothing was changed."""

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
    """What a backup says about itself. `head` is its newest log position."""

    format: int
    schema: str
    created_at: str
    head: LogPosition
    epoch: int
    tables: dict[str, CopiedTable]


def ignore_progress(_table: str, _done: int, _rows: int) -> None:
    """For callers who watch nothing."""


def nothing_beside() -> None:
    """For callers who keep nothing that is of the log before."""


def backup(
    database_url: str, path: Path, *, progress: Progress = ignore_progress
) -> Manifest:
    """Write everything as it was at one moment to a file, beside a live server.

    An older backup of that name is replaced once the new one is whole; nothing else is.
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
    """Refuse to write over what is no backup: a device, or somebody's other file."""
    if not path.parent.is_dir():
        raise BackupError(f"there is no folder {path.parent}")
    if path.exists() and not _is_backup(path):
        raise BackupError(f"{path} is there and is no backup; it is not replaced")


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
    before_commit: Callable[[], None] = nothing_beside,
) -> Manifest:
    """Fill a database without events from a file: all of it, or nothing.

    `before_commit` does what must be done beside it; if that fails, nothing was
    restored. Raises BackupError and LogUnavailable.
    """
    with _opened(path) as archive:
        manifest = _verified(archive)
        with _connected(database_url) as connection:
            create_schema(database_url)
            with connection.transaction(), connection.cursor() as cursor:
                _claim_empty_log(cursor)
                for table, columns in TABLES:
                    _fill(cursor, archive, manifest, table, columns, progress)
                _finish(cursor, manifest)
                before_commit()
    return manifest


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
        row = cursor.execute(
            "SELECT now()::text, coalesce(max(notification_id), 0), "
            "(SELECT epoch FROM log_lease WHERE shard = %s) FROM events",
            (SHARD,),
        ).fetchone()
        assert row is not None, "an aggregate has a row"
        tables = {
            table: _copy_out(cursor, archive, table, columns, progress)
            for table, columns in TABLES
        }
        manifest = Manifest(_FORMAT, VERSION, row[0], row[1], row[2], tables)
        archive.writestr(_MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _copy_out(
    cursor: psycopg.Cursor[TupleRow],
    archive: ZipFile,
    table: LiteralString,
    columns: LiteralString,
    progress: Progress,
) -> CopiedTable:
    counted = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()
    rows = int(counted[0]) if counted else 0
    digest, block, done = hashlib.sha256(), bytearray(), 0
    with (
        archive.open(table, "w", force_zip64=True) as member,
        cursor.copy(f"COPY {table} ({columns}) TO STDOUT (FORMAT binary)") as copy,
    ):
        # Postgres sends each row by itself.
        for done, data in enumerate(copy):
            block += data
            if len(block) >= _BLOCK_BYTES:
                digest.update(block)
                member.write(block)
                block.clear()
                progress(table, min(done, rows), rows)
        digest.update(block)
        member.write(block)
    progress(table, rows, rows)
    return CopiedTable(rows, digest.hexdigest())


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except _DAMAGES as reason:
        raise BackupUnreadable(f"{path} is no backup: {reason}") from reason


def _verified(archive: ZipFile) -> Manifest:
    """The manifest, after everything that it says about the file was checked."""
    if _MANIFEST not in archive.namelist():
        raise BackupUnreadable("this is no backup: it has no manifest")
    written = b"".join(_blocks(archive, _MANIFEST))
    try:
        manifest = msgspec.json.decode(written, type=Manifest)
    except msgspec.MsgspecError as reason:
        raise BackupUnreadable(f"its manifest makes no sense: {reason}") from reason
    if (manifest.format, manifest.schema) != (_FORMAT, VERSION):
        raise BackupUnreadable(
            f"it has format {manifest.format} and schema {manifest.schema}, "
            f"this version of Bourse reads {_FORMAT} and {VERSION}"
        )
    for table, _ in TABLES:
        said, digest = manifest.tables.get(table), hashlib.sha256()
        for block in _blocks(archive, table):
            digest.update(block)
        if said is None or said.sha256 != digest.hexdigest():
            raise BackupDamaged(f"the hash of {table} is not the one in the manifest")
    return manifest


def _blocks(archive: ZipFile, name: str) -> Generator[bytes]:
    """The content of one member. Raises BackupDamaged."""
    try:
        if archive.getinfo(name).compress_type != ZIP_DEFLATED:
            # The libraries that would unpack it have errors of their own.
            raise BadZipFile("it is packed in another way than ours")
        with archive.open(name) as member:
            while block := member.read(_BLOCK_BYTES):
                yield block
    except _DAMAGES as reason:
        told = str(reason) or type(reason).__name__
        raise BackupDamaged(f"the file is damaged, {name}: {told}") from reason


def _claim_empty_log(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Until the transaction ends nobody appends, and nobody takes the lease."""
    cursor.execute("SELECT FROM log_heartbeat WHERE shard = %s FOR UPDATE", (SHARD,))
    cursor.execute("LOCK TABLE events_lock IN EXCLUSIVE MODE")
    if cursor.execute("SELECT FROM events LIMIT 1").fetchone() is not None:
        raise LogNotEmpty("the database has events already; restore into an empty one")
    if not lease.is_open(cursor):
        raise LogInUse("a server runs on that database; stop it first")


def _fill(
    cursor: psycopg.Cursor[TupleRow],
    archive: ZipFile,
    manifest: Manifest,
    table: LiteralString,
    columns: LiteralString,
    progress: Progress,
) -> None:
    rows = manifest.tables[table].rows
    size, done = archive.getinfo(table).file_size, 0
    if table != "events":
        # What comes with a new schema gives way.
        cursor.execute(f"DELETE FROM {table}")
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)") as copy:
        for block in _blocks(archive, table):
            copy.write(block)
            done += len(block)
            progress(table, rows * done // size, rows)
    if cursor.rowcount != rows:
        raise BackupDamaged(f"{table} has {cursor.rowcount} rows instead of {rows}")


def _finish(cursor: psycopg.Cursor[TupleRow], manifest: Manifest) -> None:
    head = manifest.head
    cursor.execute(
        "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), %s, %s)",
        (max(head, 1), head > 0),
    )
    # The next holder's epoch is above all that the backup's log has seen.
    for table in ("log_lease", "log_heartbeat"):
        cursor.execute(
            f"UPDATE {table} SET epoch = greatest(epoch, %s) WHERE shard = %s",
            (manifest.epoch, SHARD),
        )

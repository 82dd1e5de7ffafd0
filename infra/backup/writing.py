"""Writes everything that a rebuild cannot derive to one file."""

import hashlib
import os
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
import psycopg
from psycopg.rows import TupleRow

from infra.backup.archive import (
    BLOCK_BYTES,
    FORMAT,
    MANIFEST,
    CopiedTable,
    Manifest,
    Progress,
    ignore_progress,
    opened,
    tables_of,
)
from infra.backup.connection import connected
from infra.backup.errors import BackupError, BackupUnreadable
from infra.log.lease import SHARD
from infra.log.migrations import KeptTable, schema_number


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
            connected(database_url) as connection,
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
        with opened(path) as archive:
            return MANIFEST in archive.namelist()
    except BackupUnreadable:
        return False


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
            for table in tables_of(number)
        }
        manifest = Manifest(FORMAT, number, row[0], row[1], row[2], tables)
        archive.writestr(MANIFEST, msgspec.json.encode(manifest))
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
            if len(block) >= BLOCK_BYTES:
                digest.update(block)
                member.write(block)
                block.clear()
                progress(name, min(done, rows), rows)
        digest.update(block)
        member.write(block)
    progress(name, rows, rows)
    return CopiedTable(rows, digest.hexdigest())

"""The file of a backup, and the check of its content.

The file is a zip: each table in the binary form of Postgres's COPY, and
`manifest.json`, which says what the tables must hold. It contains the personal keys
and, if BOURSE_SECRET_KEY was not set, the secret of the installation. Anyone with the
file can open the sealed data. The file is readable by its owner only; keep it so.
"""

import hashlib
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec

from domain.ids import LogPosition
from infra.backup.errors import BackupDamaged, BackupUnreadable
from infra.log.migrations import NEWEST, TABLES, KeptTable

#: Called with what is at work, mostly a table, with its rows so far, and all its rows.
Progress: TypeAlias = Callable[[str, int, int], None]

FORMAT = 2
#: From before migrations had numbers: the tables of the first migration.
_OLD_FORMAT, _OLD_SCHEMA = 1, "2"
MANIFEST = "manifest.json"
BLOCK_BYTES = 1 << 20
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


def tables_of(number: int) -> list[KeptTable]:
    """Return the tables that a backup of a schema holds."""
    return [table for table in TABLES if table.since <= number]


def opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except _DAMAGES as reason:
        raise BackupUnreadable(
            f"{path} is not a backup, or only a part of one: {reason}"
        ) from reason


def verified(archive: ZipFile) -> Manifest:
    """Check the file against its manifest, and return the manifest."""
    if MANIFEST not in archive.namelist():
        raise BackupUnreadable("the file is not a backup: it has no manifest")
    written = b"".join(blocks(archive, MANIFEST))
    try:
        manifest = msgspec.json.decode(written, type=Manifest)
    except msgspec.MsgspecError as reason:
        raise BackupUnreadable(f"the manifest is malformed: {reason}") from reason
    _check_version(manifest)
    for name, _, _ in tables_of(manifest.number):
        entry, digest = manifest.tables.get(name), hashlib.sha256()
        for block in blocks(archive, name):
            digest.update(block)
        if entry is None or entry.sha256 != digest.hexdigest():
            raise BackupDamaged(f"the hash of {name} is not the one in the manifest")
    return manifest


def _check_version(manifest: Manifest) -> None:
    if (manifest.format, manifest.schema) == (_OLD_FORMAT, _OLD_SCHEMA):
        return
    if manifest.format == FORMAT and manifest.schema in range(1, NEWEST + 1):
        return
    raise BackupUnreadable(
        f"the backup has format {manifest.format} and schema {manifest.schema}; this "
        f"version of Bourse reads format {FORMAT} with schema 1 to {NEWEST}, and "
        f"format {_OLD_FORMAT} with schema {_OLD_SCHEMA}"
    )


def blocks(archive: ZipFile, name: str) -> Generator[bytes]:
    """Yield the content of one member. Raises BackupDamaged."""
    try:
        if archive.getinfo(name).compress_type != ZIP_DEFLATED:
            # Other decompressors raise errors that we do not know.
            raise BadZipFile("it is not packed with deflate")
        with archive.open(name) as member:
            while block := member.read(BLOCK_BYTES):
                yield block
    except _DAMAGES as reason:
        cause = str(reason) or type(reason).__name__
        raise BackupDamaged(f"the file is damaged, {name}: {cause}") from reason

"""Restores a backup: checks everything aside, then switches in one transaction."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString, TypeAlias

import psycopg
from psycopg.rows import TupleRow

from domain.events.security import OperationForced
from domain.ids import LOG_START, LogPosition
from infra.backup import aside
from infra.backup.archive import (
    Manifest,
    Progress,
    ignore_progress,
    opened,
    verified,
)
from infra.backup.connection import connected
from infra.backup.errors import (
    LogInUse,
    LogNotEmpty,
    RestoreRefused,
    RestoreRunning,
)
from infra.backup.validation import unsoundness
from infra.log import lease
from infra.log.lease import SHARD
from infra.log.migrations import schema_number
from infra.log.recorder import LOCK
from infra.security import security_outbox

#: Makes the fact that the operator forced the restore, for the code of a condition.
Forcing: TypeAlias = Callable[[str], OperationForced]

#: Any number of ours: restores into one database take turns.
_RESTORE_LOCK = 4_011_950_004
_LOCK_WAIT: LiteralString = "SET lock_timeout = '10s'"


def do_nothing() -> None:
    """Do nothing more before the commit."""


def restore(
    database_url: str,
    path: Path,
    *,
    forcing: Forcing | None = None,
    progress: Progress = ignore_progress,
    before_commit: Callable[[], None] = do_nothing,
) -> Manifest:
    """Replace the log of a database with that of a file: all of it, or nothing.

    The tables come back aside with the schema of the backup, and are migrated and
    audited there. `before_commit` runs in the switch; if it raises, the database stays
    as it was. With `forcing` the conditions do not hold the restore up; the leader
    then records one fact for each that fails.
    Raises BackupError, SchemaRefused, UndecodableEvent and LogUnavailable.
    """
    with opened(path) as archive:
        manifest = verified(archive)
        with connected(database_url) as connection, _alone(connection):
            forced: list[OperationForced] = []
            head = _free_head(connection)
            if head:
                forced.append(_forced(LogNotEmpty(head), forcing))
            aside.remove(connection)
            try:
                aside.fill(database_url, archive, manifest, progress)
                unsound = unsoundness(database_url, manifest, progress)
                if unsound is not None:
                    forced.append(_forced(unsound, forcing))
                _switch(connection, manifest, head, forced, before_commit)
            except BaseException:
                # The next restore removes what this one cannot.
                with suppress(psycopg.Error):
                    aside.remove(connection)
                raise
    return manifest


@contextmanager
def _alone(connection: psycopg.Connection[TupleRow]) -> Generator[None]:
    """Keep other restores out. The lock ends with the connection."""
    connection.execute(_LOCK_WAIT)
    try:
        # The backend of a killed restore may need a moment to end.
        connection.execute("SELECT pg_advisory_lock(%s)", (_RESTORE_LOCK,))
    except psycopg.errors.LockNotAvailable as reason:
        raise RestoreRunning from reason
    yield


def _forced(failed: RestoreRefused, forcing: Forcing | None) -> OperationForced:
    """Return the fact that overrides a failed condition. Raises that without force."""
    if forcing is None:
        raise failed
    return forcing(failed.code)


def _free_head(connection: psycopg.Connection[TupleRow]) -> LogPosition:
    """Return the head of the present log, 0 if there is none.

    Raises:
        LogInUse: a server leads on the database.
        SchemaRefused: a newer version owns the database.
    """
    if not schema_number(connection):
        return LOG_START
    with connection.cursor() as cursor:
        if not lease.is_open(cursor):
            raise LogInUse
        row = cursor.execute("SELECT max(notification_id) FROM events").fetchone()
    return row[0] or LOG_START if row else LOG_START


def _switch(
    connection: psycopg.Connection[TupleRow],
    manifest: Manifest,
    head: LogPosition,
    forced: list[OperationForced],
    before_commit: Callable[[], None],
) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        epoch = 0
        if schema_number(connection):
            epoch = _claim(cursor)
        grown = _free_head(connection)
        if grown != head:
            raise LogNotEmpty(grown)
        # A stopped holder may continue: its epoch must never come again.
        aside.set_epoch(cursor, max(epoch, manifest.epoch) + 1)
        row = cursor.execute("SELECT current_schema()").fetchone()
        assert row is not None, "a query without FROM has a row"
        aside.switch(cursor, row[0])
        for each in forced:
            security_outbox.keep(cursor, each)
        before_commit()


def _claim(cursor: psycopg.Cursor[TupleRow]) -> int:
    """Lock the log and the lease until the transaction ends; return the epoch."""
    row = cursor.execute(
        "SELECT epoch FROM log_heartbeat WHERE shard = %s FOR UPDATE", (SHARD,)
    ).fetchone()
    cursor.execute(LOCK)
    return row[0] if row else 0

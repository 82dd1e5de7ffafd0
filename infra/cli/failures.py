"""The errors that the command line reports in a sentence instead of a traceback."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import typer

from commands.ports import LogLost
from domain.errors import DomainError
from infra.access.api_client import ServerRefused, ServerUnreachable
from infra.access.target_servers import NoInstallation
from infra.access.temporary_writer import NoLease
from infra.backup.errors import BackupError
from infra.cli.output import Output
from infra.cli.rebuilding import LogUnsound
from infra.cli.replay_flow import Interrupted
from infra.local.errors import LocalServerError
from infra.log.event_codec import UndecodableEvent
from infra.log.migrations import SchemaRefused
from infra.log.snapshots import SnapshotNotSaved
from infra.replay.orderflow import FlowUnreadable
from infra.runtime.settings import SettingsError
from infra.security.installation_secret import WrongSecret
from infra.server.server import CannotStart
from processors.follower import Overtaken
from processors.rebuild import RebuildFailed
from projections.store import StoreDown

#: Each error with its code in `--json`.
_CODES: dict[type[Exception], str] = {
    SettingsError: SettingsError.code,
    LocalServerError: LocalServerError.code,
    CannotStart: "cannot-start",
    LogLost: "log-unavailable",
    psycopg.OperationalError: "log-unavailable",
    # A table or a right is missing: somebody changed the database.
    psycopg.Error: "database-refused",
    SchemaRefused: SchemaRefused.code,
    UndecodableEvent: UndecodableEvent.code,
    WrongSecret: WrongSecret.code,
    NoLease: NoLease.code,
    StoreDown: "store-down",
    Overtaken: "store-changed",
    RebuildFailed: "rebuild-failed",
    LogUnsound: LogUnsound.code,
    SnapshotNotSaved: SnapshotNotSaved.code,
    BackupError: BackupError.code,
    FlowUnreadable: FlowUnreadable.code,
    Interrupted: Interrupted.code,
    NoInstallation: NoInstallation.code,
    ServerUnreachable: ServerUnreachable.code,
    ServerRefused: ServerRefused.code,
    DomainError: DomainError.code,
    OSError: "system",
}


@contextmanager
def reporting_failures(output: Output) -> Generator[None]:
    """Report an expected error as a sentence, and exit with code 1."""
    try:
        yield
    except tuple(_CODES) as reason:
        kind = next(kind for kind in _CODES if isinstance(reason, kind))
        code = vars(type(reason)).get("code")
        output.failure(code if isinstance(code, str) else _CODES[kind], f"{reason}")
        raise typer.Exit(1) from None

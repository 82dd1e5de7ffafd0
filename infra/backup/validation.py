"""The audit of a restored log before it takes the place of another."""

from infra.audit.sign_ins import SignInTable
from infra.audit.verify import Audit
from infra.backup import aside
from infra.backup.archive import Manifest, Progress
from infra.backup.errors import BackupDamaged, BackupUnsound
from infra.log.connection import Datastore
from infra.log.head_listener import LogListener
from infra.log.reader import PostgresLogReader
from infra.log.snapshots import PostgresSnapshotStore
from infra.security.credentials import PostgresCredentials


def unsoundness(
    database_url: str, manifest: Manifest, progress: Progress
) -> BackupUnsound | None:
    """Replay the log aside with all checks of the audit, and return what fails.

    Raises:
        BackupDamaged: the log ends at another position than the manifest says.
        BackupUnsound: a fact did not take effect, so no server could start on the log.
        UndecodableEvent: this version cannot read a fact.
    """
    url = aside.url_of(database_url)
    listener = LogListener(url)
    try:
        with Datastore(url, schema=aside.SCHEMA) as datastore:
            reader = PostgresLogReader(datastore, listener)
            head = reader.head()
            if head != manifest.head:
                raise BackupDamaged(
                    f"the log ends at position {head}; the manifest says "
                    f"{manifest.head}"
                )
            position, rows = PostgresCredentials(datastore).all()
            audit = Audit(
                reader,
                snapshot=PostgresSnapshotStore(datastore).newest(),
                credentials=SignInTable(rows, position),
            )
            audit.run(lambda reached: progress("validation", reached, head))
    finally:
        listener.close()
    violations = audit.findings.violations
    if not violations:
        return None
    unsound = BackupUnsound(violations, is_forceable=not audit.state.broken)
    if audit.state.broken:
        raise unsound
    return unsound

"""Why a backup or a restore failed. It then changed nothing.

BackupError
├── BackupUnreadable    the file is not a backup, or has another version
├── BackupDamaged       the content differs from the manifest
├── LogInUse            a server leads on that database
├── RestoreRunning      another restore is at work on that database
└── RestoreRefused      a condition of the restore fails; force may override it
    ├── LogNotEmpty     the database has events, which the restore would replace
    └── BackupUnsound   the restored log does not pass the audit
"""

from collections.abc import Sequence

from domain.ids import LogPosition
from infra.audit.findings import Violation


class BackupError(Exception):
    """A backup or a restore failed and changed nothing."""

    code = "backup-failed"


class BackupUnreadable(BackupError):
    code = "backup-unreadable"


class BackupDamaged(BackupError):
    code = "backup-damaged"


class LogInUse(BackupError):
    code = "log-in-use"

    def __init__(self) -> None:
        super().__init__(
            "a server leads on that database; stop it (`make stop`), then restore"
        )


class RestoreRunning(BackupError):
    code = "restore-running"

    def __init__(self) -> None:
        super().__init__("another restore is at work on that database; wait for it")


class RestoreRefused(BackupError):
    """A condition of the restore fails (rule FORCE-01)."""

    code = "restore-refused"


class LogNotEmpty(RestoreRefused):
    code = "log-not-empty"

    def __init__(self, head: LogPosition) -> None:
        super().__init__(
            f"the database has a log up to position {head:,}, which the restore would "
            "replace for ever; restore into another database, or back this one up "
            "first and repeat with --force"
        )


class BackupUnsound(RestoreRefused):
    """The log of the backup violates rules of the audit."""

    code = "backup-unsound"

    def __init__(self, violations: Sequence[Violation], *, is_forceable: bool) -> None:
        self.violations = violations
        first = violations[0]
        remedy = "no server could start on it; restore an older backup"
        if is_forceable:
            remedy = "restore an older backup, or repeat with --force to take this one"
        super().__init__(
            f"the log in the backup is not sound: {first.check}, log position "
            f"{first.position}, {first.stream}: {first.what}; {remedy}"
        )

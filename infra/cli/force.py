"""`--force`: the fact that an operator overrode the failed condition of a command."""

from domain.events.event import Meta
from domain.events.security import OperationForced
from infra.access.administrators import OPERATOR
from infra.backup.restoring import Forcing
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers


def forcing(operation: str, subject: str, *, force: bool) -> Forcing | None:
    """Return what records the operator's force, or None if there is none."""
    if not force:
        return None
    clock = SystemClock()
    new_id = Identifiers(clock).new

    def forced(condition: str) -> OperationForced:
        meta = Meta(clock.now(), OPERATOR, new_id())
        return OperationForced(meta, operation, condition, subject)

    return forced

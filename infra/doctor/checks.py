"""The checks of the doctor in their order, and the report of all of them.

All checks run at the same time, each in a thread. A check ends within two seconds,
whatever hangs.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import psycopg

from infra.doctor import database, machine, serving
from infra.doctor.finding import Finding, NotChecked, State, unknown
from infra.doctor.installation import Installation
from infra.doctor.patience import Asked

Check: TypeAlias = Callable[[Installation], Finding]

CHECK_SECONDS = 2.0

CHECKS: tuple[tuple[str, Check], ...] = (
    ("server", serving.server),
    ("port", machine.port),
    ("postgres", database.postgres),
    ("durability", database.durability),
    ("clock", database.clock),
    ("schema", database.schema),
    ("snapshot", database.snapshot),
    ("redis", serving.redis),
    ("views", serving.views),
    ("memory", machine.memory),
    ("disk", machine.disk),
    ("files", machine.files),
)


class Checked(msgspec.Struct, frozen=True):
    """One check with its result."""

    check: str
    state: State
    says: str
    remedy: str


class Report(msgspec.Struct, frozen=True):
    """All checks. `state` is the worst of their states."""

    state: State
    checks: list[Checked]

    @property
    def exit_code(self) -> int:
        """Return 0 if all is well, 1 for something wrong, 2 for a check not made."""
        return {State.OK: 0, State.WRONG: 1, State.UNKNOWN: 2}[self.state]


def examine(
    installation: Installation, checks: tuple[tuple[str, Check], ...] = CHECKS
) -> Report:
    """Make all checks. Nothing is started and nothing changes."""
    asked = [(name, Asked(lambda c=check: c(installation))) for name, check in checks]
    results = [Checked(name, *_parts(_result(each))) for name, each in asked]
    states = {each.state for each in results}
    worst = next(
        (each for each in (State.WRONG, State.UNKNOWN) if each in states), State.OK
    )
    return Report(worst, results)


def _result(asked: Asked[Finding]) -> Finding:
    try:
        return asked.answer(CHECK_SECONDS)
    except NotChecked as reason:
        return unknown(f"not checked: {reason}")
    except (psycopg.Error, OSError) as reason:
        lines = str(reason).splitlines() or [type(reason).__name__]
        return unknown(f"not checked: {lines[0]}")


def _parts(finding: Finding) -> tuple[State, str, str]:
    return finding.state, finding.says, finding.remedy

"""The checks of an audit, and the violations that it found."""

import msgspec

from domain.events.register import Fact, tag_of
from domain.ids import LogPosition

#: How many violations of one check a report lists. It counts all of them.
LISTED_MAX = 10

CHECKS = {
    "versions": "the versions of every stream are contiguous",
    "trades": "the trades of every market are numbered without a gap",
    "cash": "cash is conserved at every log position",
    "shares": "shares are conserved at every log position",
    "legs": "every trade settles once on both sides, within its command",
    "balances": "no balance, hold, position or reserve is ever negative",
    "costs": "every position's cost basis is what was paid for its shares",
    "holds": "holds and reserves equal open orders after every command",
    "orders": "orders fill, shrink and end by their open quantity",
    "books": "no book is crossed after a command",
    "replay": "every fact takes effect on the state before it",
    "snapshot": "the newest snapshot is the state at its log position",
    "live": "the live state equals the replayed state",
    "credentials": "logins are checked against what the log registers",
    "views": "the read models equal rebuilt ones",
}


class Violation(msgspec.Struct, frozen=True):
    """One violation of a check, and the log position that shows it.

    `stream` may also name a view or the snapshot.
    """

    check: str
    position: LogPosition
    stream: str
    event: str
    what: str


class Check(msgspec.Struct, frozen=True):
    """The result of one check. `skipped` says why the audit left it out."""

    name: str
    sentence: str
    counted: int
    unit: str
    violations: int
    skipped: str | None = None

    @property
    def passed(self) -> bool:
        return not self.violations


class Findings:
    """The violations that an audit collects."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._counts = dict.fromkeys(CHECKS, 0)

    def note(self, check: str, fact: Fact, what: str) -> None:
        """Note a violation that a fact shows."""
        tag = tag_of(type(fact.event))
        self.add(Violation(check, fact.position, fact.stream, tag, what))

    def add(self, violation: Violation) -> None:
        self._counts[violation.check] += 1
        if self._counts[violation.check] <= LISTED_MAX:
            self.violations.append(violation)

    def count(self, check: str, violations: int) -> None:
        """Count violations that the report does not list."""
        self._counts[check] += violations

    def result(
        self, name: str, counted: int, unit: str, *, skipped: str | None = None
    ) -> Check:
        return Check(
            name, CHECKS[name], counted, unit, self._counts[name], skipped=skipped
        )

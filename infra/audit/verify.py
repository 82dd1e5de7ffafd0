"""The audit of a log, in one pass: `bourse audit verify`.

A server may be at work meanwhile. The audit reads the log like any follower, and
compares the server's state at the log position that the state belongs to.
"""

import gc
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, TypeAlias

import msgspec

from commands.ports import LogReader, Snapshot
from domain.events.event import Event
from domain.events.register import Fact
from domain.ids import LOG_START, LogPosition, Stream
from infra.audit.findings import CHECKS, Check, Findings, Violation
from infra.audit.ledger import LedgerAudit
from infra.audit.orders import OrdersAudit
from infra.audit.sign_ins import SignInsAudit, SignInTable
from infra.audit.state import LiveState, StateAudit

#: Called with the log position that the audit has reached.
Progress: TypeAlias = Callable[[LogPosition], None]
Handler: TypeAlias = Callable[[Fact, Any], None]

#: How long to wait until the facts in a live server's memory are in the log.
LIVE_SECONDS = 15.0


class AuditReport(msgspec.Struct, frozen=True):
    """Every check, and the first violations of each."""

    passed: bool
    log_position: LogPosition
    events: int
    streams: int
    seconds: float
    events_per_second: int
    checks: list[Check]
    violations: list[Violation]


class Audit:
    """An audit of a log from its first fact: every fact and every command."""

    def __init__(
        self,
        reader: LogReader,
        *,
        snapshot: Snapshot | None = None,
        live: LiveState | None = None,
        credentials: SignInTable | None = None,
    ) -> None:
        self.findings = Findings()
        self.state = StateAudit(self.findings, live=live, snapshot=snapshot)
        self.position = LOG_START
        self.events = 0
        self._reader = reader
        self.server_runs = live is not None
        self.ledger = LedgerAudit(self.findings)
        self._orders = OrdersAudit(self.findings, self.ledger)
        self._versions: dict[Stream, int] = {}
        self._last: Fact | None = None
        self._sign_ins = SignInsAudit(self.findings, credentials)
        self._handlers = _joined(
            self.ledger.handlers, self._orders.handlers, self._sign_ins.handlers
        )

    def run(self, progress: Progress = lambda _: None) -> None:
        """Read the log up to its present head."""
        # As in recovery: millions of objects and no reference cycle among them.
        gc.disable()
        try:
            self._read_to(self._reader.head(), progress)
            deadline = monotonic() + LIVE_SECONDS
            while self.state.expected and not self.state.broken:
                left = deadline - monotonic()
                if left < 0 or not self._reader.wait(self.position, left):
                    break
                self._read_to(self._reader.head(), progress)
            if self._last is not None:
                self.ledger.end(self._last)
                self._orders.end(self._last)
            self.state.end()
            self._sign_ins.end()
        finally:
            gc.enable()

    def _read_to(self, head: LogPosition, progress: Progress) -> None:
        if self.position >= head:
            return
        for segment in self._reader.replay(self.position):
            self._take(segment.facts)
            self.position = segment.reached
            progress(self.position)
            # A live server extends the log faster than we may read it.
            if self.position >= head:
                return

    def _take(self, facts: Sequence[Fact]) -> None:
        """Check whole commands, one after another."""
        command_id, start = facts[0].event.meta.command_id, 0
        handlers, versions = self._handlers, self._versions
        for place, fact in enumerate(facts):
            event, stream = fact.event, fact.stream
            if event.meta.command_id != command_id:
                self._end_command(facts[start:place])
                command_id, start = event.meta.command_id, place
            if versions.get(stream, 0) + 1 != fact.version:
                self._broken_version(fact)
            versions[stream] = fact.version
            for handler in handlers.get(type(event), ()):
                handler(fact, event)
        self._end_command(facts[start:])
        self.events += len(facts)
        self._last = facts[-1]

    def _end_command(self, facts: Sequence[Fact]) -> None:
        last = facts[-1]
        self.ledger.end_command(last)
        self._orders.end_command(last)
        self.state.take(facts)

    def _broken_version(self, fact: Fact) -> None:
        before = self._versions.get(fact.stream, 0)
        self.findings.note(
            "versions", fact, f"version {fact.version} follows version {before}"
        )

    def report(self, views: Check | None, *, seconds: float) -> AuditReport:
        """Return all checks in their order. `views` is the check of the read models."""
        checks = [*self._checks(), *([views] if views is not None else [])]
        return AuditReport(
            passed=all(check.passed for check in checks),
            log_position=self.position,
            events=self.events,
            streams=len(self._versions),
            seconds=round(seconds, 3),
            events_per_second=round(self.events / seconds) if seconds else 0,
            checks=sorted(checks, key=lambda check: list(CHECKS).index(check.name)),
            violations=self.findings.violations,
        )

    def _checks(self) -> list[Check]:
        result, state = self.findings.result, self.state
        offline = None if self.server_runs else "no server was compared"
        broken = "a fact did not take effect" if state.broken else None
        no_table = None if self._sign_ins.is_compared else "no table was compared"
        other = "another version saved it" if state.snapshot_unreadable else None
        return [
            result("versions", self.events, "events"),
            result("trades", self.ledger.trades, "trades"),
            result("cash", self.events, "log positions"),
            result("shares", self.events, "log positions"),
            result("legs", self.ledger.trades, "trades"),
            result("balances", self.ledger.balances, "balances and positions"),
            result("costs", 2 * self.ledger.trades, "settlements"),
            result("holds", self._orders.backed, "orders touched"),
            result("orders", self._orders.orders, "orders"),
            result("books", state.books, "books after commands"),
            result("replay", state.replayed, "events"),
            result(
                "snapshot", state.snapshot_compared, "streams", skipped=broken or other
            ),
            result("live", state.live_compared, "streams", skipped=offline or broken),
            result("credentials", self._sign_ins.compared, "users", skipped=no_table),
        ]


def _joined(
    *tables: dict[type[Event], Handler],
) -> dict[type[Event], tuple[Handler, ...]]:
    kinds = {kind for table in tables for kind in table}
    return {
        kind: tuple(table[kind] for table in tables if kind in table) for kind in kinds
    }

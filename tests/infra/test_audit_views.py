"""An audit compares read models with rebuilt ones, and reports missing ones."""

import pytest

from infra.audit.findings import Findings
from infra.audit.views import views_check
from processors.rebuild import rebuild
from projections.register import NAMES, PROJECTIONS
from tests.support.facts import log_of
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore

FACTS = Flow().run(60)


def nothing(_reached: int, _head: int) -> None:
    """Report no progress."""


@pytest.mark.parametrize("server_runs", [True, False])
def test_views_that_are_as_the_log_gives_them_pass(server_runs: bool):
    log, store, findings = log_of(FACTS), MemoryStore(), Findings()
    rebuild(log, store, new_id=lambda: "first")

    check = views_check(
        log,
        [(store, PROJECTIONS)],
        findings,
        server_runs=server_runs,
        new_id=lambda: "second",
        progress=nothing,
    )

    assert (check.violations, check.counted, check.skipped) == (0, len(NAMES), None)


def test_views_that_nobody_has_filled_are_left_out_of_an_audit_without_a_server():
    findings = Findings()

    check = views_check(
        log_of(FACTS),
        [(MemoryStore(), PROJECTIONS)],
        findings,
        server_runs=False,
        new_id=lambda: "first",
        progress=nothing,
    )

    assert (check.passed, check.counted) == (True, 0)
    assert check.skipped == f"not filled yet: {', '.join(NAMES)}"


def test_views_that_a_live_server_does_not_have_are_violations(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("infra.audit.views.FILLED_SECONDS", 0.0)
    findings = Findings()

    check = views_check(
        log_of(FACTS),
        [(MemoryStore(), PROJECTIONS)],
        findings,
        server_runs=True,
        new_id=lambda: "first",
        progress=nothing,
    )

    assert check.violations == len(NAMES)
    assert {each.stream for each in findings.violations} == {f"view {n}" for n in NAMES}


def test_views_of_another_log_are_violations():
    store, findings = MemoryStore(), Findings()
    rebuild(log_of(FACTS), store, new_id=lambda: "first")
    command = FACTS[0].event.meta.command_id
    shorter = [fact for fact in FACTS if fact.event.meta.command_id == command]

    check = views_check(
        log_of(shorter),
        [(store, PROJECTIONS)],
        findings,
        server_runs=False,
        new_id=lambda: "second",
        progress=nothing,
    )

    assert check.violations == len(NAMES)
    assert all("beyond the log" in each.what for each in findings.violations)

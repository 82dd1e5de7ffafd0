"""The audit check that the read models match the log."""

from collections.abc import Callable
from time import monotonic, sleep

from commands.ports import LogReader
from domain.ids import LogPosition
from infra.audit.findings import Check, Findings, Violation
from processors.filling import Progress
from processors.rebuild import Report, verify
from projections.register import PROJECTIONS
from projections.store import Request, Store

#: How long a running server may take to fill its views from the log.
FILLED_SECONDS = 60.0
LOOK_SECONDS = 0.2


def views_check(
    reader: LogReader,
    store: Store,
    findings: Findings,
    *,
    server_runs: bool,
    new_id: Callable[[], str],
    progress: Progress,
) -> Check:
    """Rebuild every read model alongside the live one and compare the two.

    If a server runs, every read model must exist. The check waits for those that are
    being filled from the log.

    Raises:
        RebuildFailed, StoreDown: the store changed or went away meanwhile.
    """
    if server_runs:
        _wait_until_filled(store)
    ahead = _ahead_of_log(reader, store)
    for name, position in ahead.items():
        # The view shows another log, so a comparison would be pointless.
        what = f"it is at log position {position}, beyond the log"
        findings.add(Violation("views", position, f"view {name}", "", what))
    if ahead:
        return findings.result("views", 0, "read models")
    reports = verify(reader, store, new_id=new_id, progress=progress)
    for report in reports:
        _tell(findings, report)
    missing = [report.view for report in reports if not report.compared]
    if server_runs:
        for name in missing:
            findings.add(Violation("views", 0, f"view {name}", "", "it is not there"))
    return findings.result(
        "views",
        len(reports) - len(missing),
        "read models",
        skipped=f"not filled yet: {', '.join(missing)}" if missing else None,
    )


def _wait_until_filled(store: Store) -> None:
    requests = [Request(each.view, ()) for each in PROJECTIONS]
    deadline = monotonic() + FILLED_SECONDS
    while None in store.read(requests) and monotonic() < deadline:
        sleep(LOOK_SECONDS)


def _ahead_of_log(reader: LogReader, store: Store) -> dict[str, LogPosition]:
    answers = store.read([Request(each.view, ()) for each in PROJECTIONS])
    # Read the head last, or a view that advanced meanwhile seems to be ahead.
    head = reader.head()
    return {
        each.view.name: answer.checkpoint
        for each, answer in zip(PROJECTIONS, answers, strict=True)
        if answer is not None and answer.checkpoint > head
    }


def _tell(findings: Findings, report: Report) -> None:
    for each in report.differences:
        what = f"{_shown(each.live)} is shown, the log gives {_shown(each.rebuilt)}"
        findings.add(
            Violation(
                "views",
                report.log_position,
                f"view {report.view}",
                "",
                f"{each.key} {each.member}: {what}",
            )
        )
    findings.count("views", report.differing - len(report.differences))


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value[:120]

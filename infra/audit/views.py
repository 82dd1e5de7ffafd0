"""The audit check that the read models match the log."""

from collections.abc import Sequence
from time import monotonic, sleep
from typing import TypeAlias

from commands.ports import LogReader, NewId
from domain.ids import LOG_START, LogPosition
from infra.audit.findings import Check, Findings, Violation
from processors.filling import Progress
from processors.rebuild import Report, verify
from projections.projection import Projection
from projections.store import Request, Store

#: How long a running server may take to fill its views from the log.
FILLED_SECONDS = 60.0
LOOK_SECONDS = 0.2

#: A store, and the read models that it keeps.
StoreAndViews: TypeAlias = tuple[Store, Sequence[type[Projection]]]


def views_check(
    reader: LogReader,
    homes: Sequence[StoreAndViews],
    findings: Findings,
    *,
    server_runs: bool,
    new_id: NewId,
    progress: Progress,
) -> Check:
    """Rebuild every read model alongside the live one and compare the two.

    If a server runs, every read model must exist. The check waits for those that are
    being filled from the log.

    Raises:
        RebuildFailed, StoreDown: the store changed or went away meanwhile.
    """
    if server_runs:
        _wait_until_filled(homes)
    ahead = _ahead_of_log(reader, homes)
    for name, position in ahead.items():
        # The view shows another log, so a comparison would be pointless.
        what = f"it is at log position {position}, beyond the log"
        findings.add(Violation("views", position, f"view {name}", "", what))
    if ahead:
        return findings.result("views", 0, "read models")
    reports = [
        report
        for store, types in homes
        for report in verify(reader, store, types, new_id=new_id, progress=progress)
    ]
    for report in reports:
        _note(findings, report)
    missing = [report.view for report in reports if not report.compared]
    if server_runs:
        for name in missing:
            findings.add(
                Violation("views", LOG_START, f"view {name}", "", "it is not there")
            )
    return findings.result(
        "views",
        len(reports) - len(missing),
        "read models",
        skipped=f"not filled yet: {', '.join(missing)}" if missing else None,
    )


def _checkpoints(homes: Sequence[StoreAndViews]) -> dict[str, LogPosition | None]:
    """Return where each live view is; None for one that is missing."""
    return {
        each.view.name: answer and answer.checkpoint
        for store, types in homes
        for each, answer in zip(
            types, store.read([Request(each.view, ()) for each in types]), strict=True
        )
    }


def _wait_until_filled(homes: Sequence[StoreAndViews]) -> None:
    deadline = monotonic() + FILLED_SECONDS
    while None in _checkpoints(homes).values() and monotonic() < deadline:
        sleep(LOOK_SECONDS)


def _ahead_of_log(
    reader: LogReader, homes: Sequence[StoreAndViews]
) -> dict[str, LogPosition]:
    checkpoints = _checkpoints(homes)
    # Read the head last, or a view that advanced meanwhile seems to be ahead.
    head = reader.head()
    return {
        name: position
        for name, position in checkpoints.items()
        if position is not None and position > head
    }


def _note(findings: Findings, report: Report) -> None:
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

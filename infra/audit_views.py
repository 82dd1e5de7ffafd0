"""Whether the read models are what the log gives, as a check of an audit."""

from collections.abc import Callable

from commands.ports import LogReader
from infra.audit_findings import Check, Findings, Violation
from processors.rebuild import Progress, Report, verify
from projections.store import Store


def views_check(
    reader: LogReader,
    store: Store,
    findings: Findings,
    *,
    new_id: Callable[[], str],
    progress: Progress,
) -> Check:
    """Fill every read model beside the live one, and compare at one log position.

    Raises:
        RebuildFailed, StoreDown: the store changed or went away meanwhile.
    """
    reports = verify(reader, store, new_id=new_id, progress=progress)
    for report in reports:
        _tell(findings, report)
    compared = [report for report in reports if report.compared]
    missing = [report.view for report in reports if not report.compared]
    skipped = f"not filled yet: {', '.join(missing)}" if missing else None
    return findings.result("views", len(compared), "read models", skipped=skipped)


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

"""Prints the results of commands: tables for people, JSON for programs."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.text import Text

from infra.access.administrators import Administrator
from infra.audit.findings import Check
from infra.audit.verify import AuditReport
from infra.backup.archive import Manifest
from infra.cli.maintenance import Confirmed, Saved
from infra.cli.output import Output, mark, unmarked
from infra.doctor.checks import Checked
from infra.doctor.checks import Report as Examination
from infra.doctor.finding import State
from infra.replay.score import Report
from processors.rebuild import Report as Rebuild


class BackupDone(msgspec.Struct, frozen=True):
    """The output of a backup or a restore with `--json`."""

    file: str
    log_position: int
    rows: dict[str, int]


def replay(output: Output, report: Report) -> None:
    if output.as_json:
        output.json(report)
        return
    rows = [
        ("fills", report.fills_exact, report.fills),
        ("aggressive orders", report.aggressive_orders_exact, report.aggressive_orders),
        ("rows of the book", report.rows_exact, report.rows),
    ]
    output.say(
        f"{report.flow} as {report.symbol}, {report.way}: {report.commands:,} commands "
        f"in {report.seconds:,.1f} s, {report.commands_per_second:,} a second"
    )
    output.table(
        ("", "", "exact", "expected"),
        [
            (mark(good=exact == due), name, f"{exact:,}", f"{due:,}")
            for name, exact, due in rows
        ],
    )
    if report.refusals:
        output.say(f"{report.refusals:,} commands were refused", style="red")
    if report.not_resting:
        output.say(f"{report.not_resting:,} orders did not rest whole", style="red")
    for mismatch in report.mismatches:
        output.say(mismatch, style="red")
    if report.exact:
        output.say("Everything is as recorded.", style="green")
    else:
        output.say("This is not as recorded.", style="bold red")


def audit(output: Output, report: AuditReport) -> None:
    if output.as_json:
        output.json(report)
        return
    output.table(
        ("", "check", "count", ""),
        [
            (
                unmarked() if _left_out(check) else mark(good=check.passed),
                check.sentence,
                f"{check.counted:,} {check.unit}",
                _remark(check),
            )
            for check in report.checks
        ],
    )
    for each in report.violations:
        where = f"{each.stream} {each.event}".rstrip()
        output.say(
            f"{each.check}: log position {each.position}, {where}: {each.what}",
            style="red",
        )
    output.say(
        f"{report.events:,} events of {report.streams:,} streams up to log position "
        f"{report.log_position:,}, {report.events_per_second:,} a second"
    )
    if report.passed:
        output.say("The log is sound.", style="green")
    else:
        output.say("The log is not sound.", style="bold red")


def _left_out(check: Check) -> bool:
    return check.skipped is not None and not check.counted


def _remark(check: Check) -> Text:
    if check.violations:
        return Text(f"{check.violations:,} violations", style="red")
    return Text(check.skipped or "", style="dim")


def rebuilds(output: Output, results: Sequence[Rebuild]) -> None:
    if output.as_json:
        output.json(results)
        return
    output.table(
        ("", "read model", "log position", ""),
        [
            (
                mark(good=each.switched),
                each.view,
                f"{each.log_position:,}",
                _healed(each),
            )
            for each in results
        ],
    )


def _healed(report: Rebuild) -> str:
    if not report.compared:
        return "there was none before"
    if report.differing:
        return f"{report.differing:,} values were wrong before"
    return "the same as before"


def snapshot(output: Output, saved: Saved) -> None:
    if output.as_json:
        output.json(saved)
    else:
        output.say(
            f"Saved the state at log position {saved.log_position:,} "
            f"({saved.seconds:.1f} s)."
        )


def backup(output: Output, file: Path, manifest: Manifest) -> None:
    if output.as_json:
        output.json(_done(file, manifest))
    else:
        output.say(
            f"{file} holds the log up to position {manifest.head:,}. It contains the "
            "keys of personal data: keep it as safe as the database."
        )


def restored(output: Output, file: Path, manifest: Manifest) -> None:
    if output.as_json:
        output.json(_done(file, manifest))
    else:
        output.say(
            f"Restored the log up to position {manifest.head:,}. "
            "The next start fills the read models from it."
        )


def _done(file: Path, manifest: Manifest) -> BackupDone:
    rows = {name: table.rows for name, table in manifest.tables.items()}
    return BackupDone(str(file), manifest.head, rows)


def clock(output: Output, confirmed: Confirmed) -> None:
    if output.as_json:
        output.json(confirmed)
    else:
        side = "ahead of" if confirmed.ahead_seconds > 0 else "behind"
        output.say(
            f"The clock is confirmed, {abs(confirmed.ahead_seconds):,} s {side} the "
            "time that the venue kept. Days that are over by it roll now."
        )


def administrator(output: Output, person: Administrator) -> None:
    if output.as_json:
        output.json(person)
        return
    if not person.created:
        output.say(
            f"{person.email} existed already and is an administrator now; the password "
            "is unchanged."
        )
        return
    output.say(f"{person.email} is an administrator now.")
    if person.password is not None:
        output.say(f"The password, shown only once: {person.password}")


def examination(output: Output, report: Examination) -> None:
    if output.as_json:
        output.json(report)
        return
    output.table(
        ("", "check", ""),
        [
            (_state_mark(each.state), each.check, _advice(each))
            for each in report.checks
        ],
    )
    wrong = sum(each.state is State.WRONG for each in report.checks)
    unmade = sum(each.state is State.UNKNOWN for each in report.checks)
    if wrong:
        output.say(f"Wrong: {wrong}. Not checked: {unmade}.", style="bold red")
    elif unmade:
        output.say(f"Nothing wrong was seen. Not checked: {unmade}.", style="yellow")
    else:
        output.say("All is well.", style="green")


def _state_mark(state: State) -> Text:
    return unmarked() if state is State.UNKNOWN else mark(good=state is State.OK)


def _advice(checked: Checked) -> Text:
    text = Text(checked.says)
    if checked.remedy:
        text.append(f"\n→ {checked.remedy}", style="yellow")
    return text

"""The commands of `bourse`: `run`, `replay`, `rebuild`, `audit verify` and the others.

The exit code is 0 if all is well, 1 if a command failed or found a violation, and 2 if
its arguments are wrong.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from domain.ids import Symbol
from infra.access.target_servers import target_postgres
from infra.backup.restoring import restore
from infra.backup.writing import backup
from infra.cli import reports
from infra.cli.audit_log import audit_log
from infra.cli.failures import reporting_failures
from infra.cli.force import forcing
from infra.cli.maintenance import (
    confirm_clock,
    create_admin,
    forget_views,
    save_snapshot,
)
from infra.cli.output import Output
from infra.cli.rebuilding import rebuild_views
from infra.cli.replay_flow import ReplayOptions, replay_flow
from infra.doctor.checks import examine
from infra.doctor.installation import Installation
from infra.runtime.settings import read_settings
from infra.server.server import serve
from projections.register import NAMES

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Bourse, an event-sourced stock exchange. BOURSE_HOME, DATABASE_URL and "
    "REDIS_URL select the installation; see docs/OPERATIONS.md.",
)
audit = typer.Typer(no_args_is_help=True, help="Prove that the log is sound.")
admin = typer.Typer(no_args_is_help=True, help="Administrators of this installation.")
app.add_typer(audit, name="audit")
app.add_typer(admin, name="admin")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Override failed conditions; the log then says so."),
]
Url = Annotated[
    str | None,
    typer.Option(help="URL of a running server; by default that of BOURSE_HOME."),
]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"Bourse {version('bourse')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and end.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    del show_version


#: Options of `replay` that need a server.
FOR_SERVERS = ("url", "token", "rows_every")


@app.command()
def run() -> None:
    """Serve the exchange until a signal stops it."""
    with reporting_failures(Output()):
        raise typer.Exit(serve(read_settings()))


@app.command()
def replay(
    context: typer.Context,
    flow: Annotated[Path, typer.Argument(help="An order flow (docs/ORDERFLOW.md).")],
    *,
    url: Url = None,
    symbol: Annotated[
        str | None, typer.Option(help="A symbol that is not listed yet.")
    ] = None,
    rows_every: Annotated[
        int, typer.Option(min=1, help="Compare every Nth recorded row.")
    ] = 1,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Send at most this many commands.")
    ] = None,
    in_process: Annotated[
        bool,
        typer.Option(
            "--in-process",
            help="Use a writer on a temporary database; compare every row.",
        ),
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(envvar="BOURSE_TOKEN", help="An administrator's access token."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a recorded order flow and compare every fill and every recorded row."""
    if in_process:
        _check_none_typed(context, *FOR_SERVERS)
    output = Output(as_json=as_json)
    with reporting_failures(output):
        options = ReplayOptions(
            flow=flow,
            url=url,
            symbol=None if symbol is None else Symbol(symbol),
            rows_every=rows_every,
            limit=limit,
            in_process=in_process,
            token=token,
        )
        report = replay_flow(read_settings(), output, options)
        reports.replay(output, report)
        raise typer.Exit(0 if report.exact else 1)


def _check_none_typed(context: typer.Context, *names: str) -> None:
    """Refuse options that the command would ignore, unless the environment set them."""
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise typer.BadParameter(f"--in-process excludes --{option}")


@audit.command("verify")
def audit_verify(
    *,
    url: Url = None,
    views: Annotated[
        bool, typer.Option(help="Also compare the read models with rebuilt ones.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Replay the whole log and check every invariant at each log position."""
    output = Output(as_json=as_json)
    with reporting_failures(output):
        report = audit_log(read_settings(), output, url=url, views=views)
        reports.audit(output, report)
        raise typer.Exit(0 if report.passed else 1)


@app.command()
def rebuild(
    name: Annotated[
        str | None, typer.Argument(help=f"A read model: {', '.join(NAMES)}.")
    ] = None,
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="Rebuild all.")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild read models from the log while the live ones serve, then switch.

    Condition: the log passes the audit (log-unsound). A read model that is not live is
    filled without it.
    """
    if (name is None) is not all_of_them:
        raise typer.BadParameter("name one read model, or pass --all")
    if name is not None and name not in NAMES:
        raise typer.BadParameter(f"{name} is none of {', '.join(NAMES)}")
    output = Output(as_json=as_json)
    with reporting_failures(output):
        views = name or "all"
        forced = forcing("rebuild", views, force=force)
        rebuilt = rebuild_views(read_settings(), output, views, forced)
        reports.rebuilds(output, rebuilt)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check the installation: what is wrong, and what to do. Changes nothing.

    The exit code is 2 if nothing is wrong and some checks could not be made.
    """
    output = Output(as_json=as_json)
    with reporting_failures(output):
        report = examine(Installation(read_settings()))
        reports.examination(output, report)
        raise typer.Exit(report.exit_code)


@app.command()
def snapshot(*, as_json: AsJson = False) -> None:
    """Save the state at the head of the log, so that the next start is fast."""
    output = Output(as_json=as_json)
    with reporting_failures(output):
        reports.snapshot(output, save_snapshot(read_settings()))


@app.command("backup")
def backup_to(
    file: Annotated[Path, typer.Argument(help="The file; replaces an older backup.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write everything that a rebuild cannot derive to one file. A server may run."""
    output = Output(as_json=as_json)
    with reporting_failures(output), target_postgres(read_settings()) as url:
        with output.progress("backup") as gauge:
            manifest = backup(
                url, file, progress=lambda _table, done, rows: gauge(done, rows)
            )
        reports.backup(output, file, manifest)


@app.command("restore")
def restore_from(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    *,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Check a backup aside, then make its log that of the database.

    Conditions: the database has no events (log-not-empty), and the backup passes the
    audit (backup-unsound).
    """
    output = Output(as_json=as_json)
    with reporting_failures(output):
        settings = read_settings()
        with (
            target_postgres(settings, new=True) as url,
            output.progress("restore") as gauge,
        ):
            manifest = restore(
                url,
                file,
                forcing=forcing("restore", file.name, force=force),
                progress=lambda _table, done, rows: gauge(done, rows),
                before_commit=lambda: forget_views(settings),
            )
        reports.restored(output, file, manifest)


@admin.command("create")
def admin_create(
    email: Annotated[str, typer.Argument(help="The e-mail address of the login.")],
    *,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from standard input."),
    ] = False,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password.")] = False,
    full_name: Annotated[
        str, typer.Option(help="The name of the person.")
    ] = "Administrator",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Create an administrator, or give a known user that role.

    Without --ask and --password-stdin, the command generates a password and shows it
    once.
    """
    output = Output(as_json=as_json)
    password: str | None = None
    if password_stdin and ask:
        raise typer.BadParameter("--ask excludes --password-stdin")
    if password_stdin:
        password = _first_line(typer.get_binary_stream("stdin").readline())
    elif ask:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with reporting_failures(output):
        administrator = create_admin(
            read_settings(), email, full_name=full_name, password=password, url=url
        )
        reports.administrator(output, administrator)


@admin.command("confirm-clock")
def admin_confirm_clock(
    *,
    ahead: Annotated[
        int, typer.Option(help="The step in seconds, as /health/ready shows it.")
    ],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Confirm that the server's system clock is right after a step, so that days roll.

    The server's log and /health/ready show the step.
    """
    output = Output(as_json=as_json)
    with reporting_failures(output):
        confirmed = confirm_clock(read_settings(), ahead, url=url)
        reports.clock(output, confirmed)


def _first_line(line: bytes) -> str:
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise typer.BadParameter("the password is not UTF-8 text") from None


def main() -> None:
    app()


if __name__ == "__main__":
    main()

"""How `bourse replay` comes by a market of its own: on a server, or on a database."""

import asyncio
import re
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from psycopg import sql
from psycopg.conninfo import make_conninfo

from domain.ids import Symbol
from infra.access.admin_client import admitted
from infra.access.api_client import ServerClient, ServerUnreachable
from infra.access.target_servers import borrowed_postgres, running_server
from infra.cli.output import Output
from infra.log.connection import connect, parameters
from infra.log.event_store import PostgresEventStore
from infra.replay.http import replay_through_http
from infra.replay.orderflow import Step, read_flow
from infra.replay.score import Progress, Report
from infra.replay.writer import replay_through_writer
from infra.runtime.settings import Settings

#: What a symbol has not, but for dot and hyphen.
_FOREIGN = re.compile("[^A-Z0-9]")


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. Without a url it is the server of BOURSE_HOME."""

    flow: Path
    url: str | None = None
    symbol: Symbol | None = None
    rows_every: int = 1
    limit: int | None = None
    in_process: bool = False
    token: str | None = None

    def own_symbol(self) -> Symbol:
        """The one asked for, or one that tells its origin and that nobody has used."""
        if self.symbol is not None:
            return self.symbol
        # A file may have any name.
        letters = _FOREIGN.sub("", self.flow.name.partition(".")[0].upper())
        return f"{letters[:4] or 'FLOW'}.{_suffix()}"


def _suffix() -> str:
    return secrets.token_hex(3).upper()


class Interrupted(Exception):
    """The replay was broken off by whoever began it."""

    code = "interrupted"


def replay_flow(settings: Settings, output: Output, asked: Replay) -> Report:
    """Send a flow one way or the other.

    Raises:
        FlowUnreadable, ServerRefused, ServerUnreachable: it could not be sent.
        Interrupted: Ctrl-C.
    """
    steps = read_flow(asked.flow, asked.limit)
    symbol = asked.own_symbol()
    done = 0
    with output.progress(asked.flow.name) as gauge:

        def advance(lines: int) -> None:
            nonlocal done
            done += lines
            gauge(done, len(steps))

        try:
            if asked.in_process:
                return _in_process(settings, asked, symbol, steps, advance)
            return _on_server(settings, asked, symbol, steps, advance)
        except KeyboardInterrupt:
            left = "nothing of it stays"
            if not asked.in_process:
                left = f"{symbol} and its orders stay in the log"
            raise Interrupted(
                f"stopped after {done:,} of {len(steps):,} lines; {left}"
            ) from None


def _on_server(
    settings: Settings,
    asked: Replay,
    symbol: Symbol,
    steps: Sequence[tuple[int, Step]],
    progress: Progress,
) -> Report:
    admin = _administrator(settings, asked)
    try:
        return replay_through_http(
            admin,
            steps,
            flow=asked.flow.name,
            symbol=symbol,
            rows_every=asked.rows_every,
            progress=progress,
        )
    finally:
        admin.close()


def _in_process(
    settings: Settings,
    asked: Replay,
    symbol: Symbol,
    steps: Sequence[tuple[int, Step]],
    progress: Progress,
) -> Report:
    with (
        scratch_database(settings) as database_url,
        PostgresEventStore(database_url) as store,
    ):
        return asyncio.run(
            replay_through_writer(
                store,
                steps,
                flow=asked.flow.name,
                symbol=symbol,
                progress=progress,
            )
        )


def _administrator(settings: Settings, asked: Replay) -> ServerClient:
    """A client that may list an instrument and fund accounts."""
    running = running_server(settings.home)
    url = asked.url or (running.base_url if running is not None else None)
    if url is None:
        raise ServerUnreachable(
            f"no server runs in {settings.home}; start one with `make run`, name one "
            "with --url, or replay --in-process"
        )
    return admitted(settings, url, asked.token)


# --- a database for one replay ---


@contextmanager
def scratch_database(settings: Settings) -> Generator[str]:
    """A database beside the log's, for one replay; it goes with it."""
    name = f"bourse_replay_{_suffix().lower()}"
    quoted = sql.Identifier(name)
    with borrowed_postgres(settings, new=True) as url:
        with connect(url, name="bourse-cli") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        try:
            yield make_conninfo("", **(parameters(url) | {"dbname": name}))
        finally:
            with connect(url, name="bourse-cli") as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted)
                )

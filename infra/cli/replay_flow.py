"""`bourse replay`: where a flow goes, a server or a database of this command."""

import re
import secrets
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from psycopg import sql
from psycopg.conninfo import make_conninfo

from domain.ids import Symbol
from infra.access.admin_client import administrator_client
from infra.access.api_client import ServerClient, ServerUnreachable
from infra.access.target_servers import running_server, target_postgres
from infra.cli.output import Output
from infra.log.connection import connect, parameters
from infra.log.event_store import PostgresEventStore
from infra.replay.decisions import own_decisions
from infra.replay.driver import replay
from infra.replay.http_venue import HttpVenue
from infra.replay.orderflow import read_flow
from infra.replay.score import Report
from infra.replay.venue import Venue
from infra.replay.writer_venue import WriterVenue
from infra.runtime.settings import Settings

#: A new symbol begins with letters and digits only.
_FOREIGN = re.compile("[^A-Z0-9]")


class ReplayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command. Without a url the server is that of BOURSE_HOME."""

    flow: Path
    url: str | None = None
    symbol: Symbol | None = None
    rows_every: int = 1
    limit: int | None = None
    in_process: bool = False
    token: str | None = None

    def own_symbol(self) -> Symbol:
        """Return the symbol of the options, or a new one that shows its origin."""
        if self.symbol is not None:
            return self.symbol
        # A file may have any name.
        letters = _FOREIGN.sub("", self.flow.name.partition(".")[0].upper())
        return Symbol(f"{letters[:4] or 'FLOW'}.{_suffix()}")


def _suffix() -> str:
    return secrets.token_hex(3).upper()


class Interrupted(Exception):
    """The user stopped the replay with Ctrl-C."""

    code = "interrupted"


def replay_flow(settings: Settings, output: Output, asked: ReplayOptions) -> Report:
    """Send a flow to a server, or through a writer of this process.

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
            with _venue(settings, asked, symbol) as venue:
                return replay(
                    venue,
                    steps,
                    flow=asked.flow.name,
                    symbol=symbol,
                    rows_every=asked.rows_every,
                    progress=advance,
                )
        except KeyboardInterrupt:
            left = "nothing of it stays"
            if not asked.in_process:
                left = f"{symbol} and its orders stay in the log"
            raise Interrupted(
                f"stopped after {done:,} of {len(steps):,} lines; {left}"
            ) from None


@contextmanager
def _venue(
    settings: Settings, asked: ReplayOptions, symbol: Symbol
) -> Generator[Venue]:
    """A market on the server, or one in a database that goes with the replay."""
    if asked.in_process:
        with (
            scratch_database(settings) as database_url,
            PostgresEventStore(database_url) as store,
            own_decisions(store) as decisions,
        ):
            yield WriterVenue(decisions, symbol)
        return
    with (
        closing(_administrator(settings, asked)) as admin,
        closing(HttpVenue(admin, symbol)) as venue,
    ):
        yield venue


def _administrator(settings: Settings, asked: ReplayOptions) -> ServerClient:
    """Return a client that may list an instrument and fund accounts."""
    running = running_server(settings.home)
    url = asked.url or (running.base_url if running is not None else None)
    if url is None:
        raise ServerUnreachable(
            f"no server runs in {settings.home}; start one with `make run`, name one "
            "with --url, or replay --in-process"
        )
    return administrator_client(settings, url, asked.token)


# --- a database for one replay ---


@contextmanager
def scratch_database(settings: Settings) -> Generator[str]:
    """Make a database for one replay, next to the log's; drop it at the end."""
    name = f"bourse_replay_{_suffix().lower()}"
    quoted = sql.Identifier(name)
    with target_postgres(settings, new=True) as url:
        with connect(url, name="bourse-cli") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        try:
            yield make_conninfo("", **(parameters(url) | {"dbname": name}))
        finally:
            with connect(url, name="bourse-cli") as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted)
                )

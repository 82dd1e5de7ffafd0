"""Connections to Postgres, single and pooled.

The timeouts are short, so that a dead host shows in seconds; TCP alone takes hours.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow, dict_row, tuple_row

from commands.ports import LogUnavailable

#: Defaults, which the URL may override. Seconds; tcp_user_timeout is in milliseconds.
_PATIENCE: dict[str, str | int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_POOL_SIZE_MAX = 8
#: Any number of ours.
_FILLING_LOCK = 4_011_950_003
#: How long a read waits for a connection before it raises LogUnavailable.
_POOL_SECONDS = 2


def parameters(database_url: str) -> dict[str, str | int]:
    """Return the parameters of a URL, with our timeouts unless the URL sets others."""
    url = conninfo_to_dict(database_url)
    return _PATIENCE | {name: v for name, v in url.items() if v is not None}


def connect(database_url: str, *, name: str) -> psycopg.Connection[TupleRow]:
    """Open a connection outside the pool, in autocommit mode.

    Operators see `name` in `pg_stat_activity`.
    """
    settings = parameters(database_url) | {"application_name": name}
    return psycopg.Connection[TupleRow].connect(
        make_conninfo("", **settings), autocommit=True, row_factory=tuple_row
    )


@contextmanager
def rebuild_lock(database_url: str) -> Generator[None]:
    """Wait until no other process fills new read models, and keep others out.

    A rebuild drops what an interrupted rebuild left behind. It could not distinguish
    that from the work of a rebuild in progress.
    """
    with connect(database_url, name="bourse-rebuild") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_FILLING_LOCK,))
        yield


class Datastore(PostgresDatastore):
    """The library's connection pool, reached by a URL and with stream names as text.

    The library names the schema of its tables: `schema`, without one `public`.
    """

    def __init__(self, database_url: str, *, schema: str = "") -> None:
        super().__init__(
            schema=schema,
            dbname="",
            host="",
            port="",
            user="",
            password="",
            originator_id_type="text",
            # The pool keeps no idle connection and retries only briefly. After an
            # outage the next read then connects at once.
            connect_timeout=_POOL_SECONDS,
            pool_size=0,
            max_overflow=_POOL_SIZE_MAX,
            pre_ping=True,
            idle_in_transaction_session_timeout=60,
        )
        self.pool.reconnect_timeout = 0.5
        settings = parameters(database_url) | {"application_name": "bourse"}
        self.pool.kwargs = {**settings, "row_factory": dict_row}

    def register_type_adapters(self) -> None:
        """Register nothing: rows travel as plain arrays, not as a composite type."""

    @contextmanager
    def rows(self) -> Generator[psycopg.Cursor[TupleRow]]:
        """Lend a cursor from the pool. Raises LogUnavailable."""
        try:
            self.pool.open()
            with (
                self.pool.connection() as connection,
                connection.cursor(binary=True, row_factory=tuple_row) as cursor,
            ):
                yield cursor
        except (psycopg.OperationalError, psycopg.InterfaceError) as reason:
            raise LogUnavailable(str(reason)) from reason

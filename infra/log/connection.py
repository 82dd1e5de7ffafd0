"""How Bourse connects to Postgres: one address, and what every connection needs.

A dead host must be noticed in seconds, not in the hours that TCP takes by itself.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow, dict_row, tuple_row

from commands.ports import LogUnavailable

#: What an address may leave open. Milliseconds for tcp_user_timeout, else seconds.
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
#: How long a read waits for a connection before it says that there is none.
_POOL_SECONDS = 2


def parameters(database_url: str) -> dict[str, str | int]:
    """The address taken apart, with our patience where it does not say otherwise."""
    given = conninfo_to_dict(database_url)
    return _PATIENCE | {name: v for name, v in given.items() if v is not None}


def connect(database_url: str, *, name: str) -> psycopg.Connection[TupleRow]:
    """A connection of one's own, in autocommit mode. `name` is what operators see."""
    settings = parameters(database_url) | {"application_name": name}
    return psycopg.Connection[TupleRow].connect(
        make_conninfo("", **settings), autocommit=True, row_factory=tuple_row
    )


@contextmanager
def filling_beside(database_url: str) -> Generator[None]:
    """Fill read models beside the live ones: one process at a time, others wait. Who
    begins drops what others left behind, and could not tell it from one at work."""
    with connect(database_url, name="bourse-rebuild") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_FILLING_LOCK,))
        yield


class Datastore(PostgresDatastore):
    """The library's connection pool, reached by a URL and with stream names as text."""

    def __init__(self, database_url: str) -> None:
        super().__init__(
            dbname="",
            host="",
            port="",
            user="",
            password="",
            originator_id_type="text",
            # None is kept ready and none is tried for long: after an outage the next
            # read connects afresh instead of waiting for the pool's own next try.
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
        """Nothing: rows travel as plain arrays, so the composite type is not needed."""

    @contextmanager
    def rows(self) -> Generator[psycopg.Cursor[TupleRow]]:
        """A cursor for one read, from the pool. Raises LogUnavailable."""
        try:
            self.pool.open()
            with (
                self.pool.connection() as connection,
                connection.cursor(binary=True, row_factory=tuple_row) as cursor,
            ):
                yield cursor
        except (psycopg.OperationalError, psycopg.InterfaceError) as reason:
            raise LogUnavailable(str(reason)) from reason

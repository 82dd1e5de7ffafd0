"""The installation that the doctor looks at, and never starts or changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from commands.ports import LogUnavailable
from infra.access.target_servers import Running, running_server
from infra.doctor.finding import NoAnswer, NotChecked
from infra.doctor.patience import Asked
from infra.local.errors import LocalServerError
from infra.local.servers import data_of_postgres, running_postgres, running_redis
from infra.local.serving import is_served, serving_pid
from infra.log.connection import connect, parameters
from infra.runtime.settings import Settings
from projections.store import StoreDown

#: How long a check waits for one part. Every check ends within two seconds.
PART_SECONDS = 1.5

_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=1500"

T = TypeVar("T")
Connection = psycopg.Connection[TupleRow]


class Installation:
    """The parts of one installation: as the environment, its server or its home says.

    A URL is None if the part is an embedded server that is not running.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home.resolve()
        self.running: Running | None = running_server(settings.home)
        self.is_served = is_served(settings.home)
        self.pid = serving_pid(settings.home)
        self.is_embedded = settings.database_url is None
        #: Why the home does not say how to reach its embedded servers.
        self.damage: str | None = None
        running = self.running
        self.database_url = settings.database_url or (
            running.database_url if running else self._embedded(running_postgres)
        )
        self.redis_url = settings.redis_url or (
            running.redis_url if running else self._embedded(running_redis)
        )

    def _embedded(self, find: Callable[[Path], str | None]) -> str | None:
        try:
            return find(self.home)
        except LocalServerError as reason:
            self.damage = str(reason)
            return None

    def data_folder(self) -> Path | None:
        """Return the data folder of the embedded Postgres, if there is one."""
        try:
            return data_of_postgres(self.home) if self.is_embedded else None
        except LocalServerError:
            return None

    def in_postgres(self, question: Callable[[Connection], T]) -> T:
        """Ask Postgres on a connection that cannot write.

        Raises:
            NotChecked: Postgres is not running, or does not answer in time.
        """
        url = self.database_url
        if url is None:
            raise NotChecked("Postgres is not running")

        def ask() -> T:
            known = parameters(url)
            options = f"{known.get('options', '')} {_OPTIONS}".strip()
            limited = known | {"options": options, "connect_timeout": 2}
            with connect(make_conninfo("", **limited), name="bourse-doctor") as opened:
                return question(opened)

        return _answered("Postgres", ask)

    def in_redis(self, question: Callable[[str], T]) -> T:
        """Ask Redis by its URL. Raises NotChecked."""
        url = self.redis_url
        if url is None:
            raise NotChecked("Redis is not running")
        return _answered("Redis", lambda: question(url))


def _answered(part: str, question: Callable[[], T]) -> T:
    try:
        return Asked(question).answer(PART_SECONDS)
    except NoAnswer as reason:
        raise NoAnswer(f"{part} gives {reason}") from reason
    except (psycopg.OperationalError, StoreDown, LogUnavailable) as reason:
        lines = str(reason).splitlines() or [type(reason).__name__]
        raise NoAnswer(f"{part} does not answer: {lines[0]}") from reason


def first_row(connection: Connection, query: str, *values: Any) -> TupleRow:
    """Return the only row of a query that always has one."""
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None, query
    return row

"""The resources that the benchmarks of one run share: servers and databases."""

import contextlib
import itertools
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import psycopg
from psycopg import sql

from infra.local import postgres
from infra.local.servers import start_postgres, start_redis, stop_redis


class Places(msgspec.Struct, frozen=True):
    """The database and the Redis database of one benchmark."""

    database_url: str
    redis_url: str


class Suite:
    """One run. A `quick` run is small, and its figures are rough."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.home = Path(tempfile.mkdtemp(prefix="bourse-bench-"))
        # The system user of the embedded Postgres must be able to enter.
        self.home.chmod(0o711)
        self.resources = contextlib.ExitStack()
        self._numbers = itertools.count(1)

    def scaled(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def places(self) -> Places:
        """Create an empty database and Redis database on the shared servers."""
        number = next(self._numbers)
        server = start_postgres(self.home).url.rpartition("/")[0]
        name = f"bench_{number}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            )
        redis = start_redis(self.home).url.rpartition("/")[0]
        return Places(f"{server}/{name}", f"{redis}/{number}")

    def services(self) -> list[tuple[str, int]]:
        """Return the shared servers and their main processes."""
        return [
            ("Postgres", start_postgres(self.home).pid),
            ("Redis", start_redis(self.home).pid),
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.resources.close()
        stop_redis(self.home)
        postgres.remove(self.home)
        shutil.rmtree(self.home, ignore_errors=True)

"""What the measurements of one run share: servers, databases, and a long log."""

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
    """A database and a Redis number for one measurement alone."""

    database_url: str
    redis_url: str


class Suite:
    """One run. `quick` asks for a look instead of a figure: everything is small."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.home = Path(tempfile.mkdtemp(prefix="bourse-bench-"))
        # The account of an embedded Postgres must be able to come in.
        self.home.chmod(0o711)
        self.resources = contextlib.ExitStack()
        self._numbers = itertools.count(1)

    def scaled(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def places(self) -> Places:
        """An empty database and an empty Redis, on servers that all of them share."""
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
        """The servers that all measurements share, and their main processes."""
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

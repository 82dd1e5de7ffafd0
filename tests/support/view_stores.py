"""The stores on which the rules of read models must hold: the twin and real ones."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from infra.log.migrations import migrate
from infra.views.postgres_store import PostgresStore
from infra.views.redis_store import RedisStore
from tests.support.memory_store import MemoryStore

AnyStore: TypeAlias = MemoryStore | RedisStore | PostgresStore
REAL = ("redis", "postgres")
ALL = ("memory", *REAL)


@contextmanager
def empty_store(request: pytest.FixtureRequest) -> Generator[AnyStore]:
    """Open the empty store that the parameter of a fixture names."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "redis":
        real = RedisStore(request.getfixturevalue("redis_url"))
    else:
        url = request.getfixturevalue("database_url")
        migrate(url)
        real = PostgresStore(url)
    try:
        yield real
    finally:
        real.close()

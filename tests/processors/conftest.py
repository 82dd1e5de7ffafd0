"""The stores on which every rule of the processors must hold."""

from collections.abc import Generator
from typing import TypeAlias

import psycopg
import pytest
from redis import Redis

from infra.log.migrations import migrate
from infra.views.postgres_store import PostgresStore
from infra.views.redis_store import RedisStore
from tests.support.memory_store import MemoryStore

AnyStore: TypeAlias = MemoryStore | RedisStore | PostgresStore


@pytest.fixture(params=["memory", "redis", "postgres"])
def store(request: pytest.FixtureRequest) -> Generator[AnyStore]:
    """An empty store: in memory, in Redis, then in Postgres."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "redis":
        real = RedisStore(request.getfixturevalue("redis_url"))
    else:
        url = request.getfixturevalue("database_url")
        migrate(url)
        real = PostgresStore(url)
    yield real
    real.close()


def flush(store: AnyStore, request: pytest.FixtureRequest) -> None:
    """Lose everything that the store holds."""
    if isinstance(store, MemoryStore):
        store.flush()
    elif isinstance(store, RedisStore):
        with Redis.from_url(request.getfixturevalue("redis_url")) as client:
            client.flushall()
    else:
        url = request.getfixturevalue("database_url")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("TRUNCATE view_generations, view_rows, view_entries")

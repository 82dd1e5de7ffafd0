"""The stores on which every rule of the processors must hold."""

from collections.abc import Generator

import psycopg
import pytest
from redis import Redis

from infra.views.redis_store import RedisStore
from tests.support.memory_store import MemoryStore
from tests.support.view_stores import ALL, AnyStore, empty_store


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest) -> Generator[AnyStore]:
    """An empty store: in memory, in Redis, then in Postgres."""
    with empty_store(request) as store:
        yield store


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

"""The stores on which every rule of the processors must hold."""

from collections.abc import Generator

import pytest

from infra.views.redis_store import RedisStore
from tests.support.memory_store import MemoryStore


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Generator[MemoryStore | RedisStore]:
    """An empty store: in memory, then in Redis."""
    if request.param == "memory":
        yield MemoryStore()
        return
    redis_store = RedisStore(request.getfixturevalue("redis_url"))
    yield redis_store
    redis_store.close()

"""The stores that every rule of the processors must hold on."""

from collections.abc import Generator

import pytest

from infra.views.redis_store import RedisStore
from tests.support.memory_store import MemoryStore


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Generator[MemoryStore | RedisStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    redis_store = RedisStore(request.getfixturevalue("redis_url"))
    yield redis_store
    redis_store.close()

"""A server in memory for each test, and people who use it."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.served import Person, Served, served


@pytest.fixture
async def server() -> AsyncGenerator[Served]:
    async with served() as server:
        yield server


@pytest.fixture
async def admin(server: Served) -> Person:
    return await server.person(admin=True)


@pytest.fixture
async def ada(server: Served) -> Person:
    """A trader with a million in cash and 10,000 shares of ACME."""
    return await server.trader()


@pytest.fixture
async def bob(server: Served) -> Person:
    """Another one."""
    return await server.trader()

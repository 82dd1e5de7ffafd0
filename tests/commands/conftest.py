"""Leaders and standbys on a log in memory that can fail on demand."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from commands.writer import leadership
from commands.writer.leadership import WriterState
from tests.support.troubled_store import TroubledStore
from tests.support.writers import Server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "LEASE_SECONDS", 0.001)


@pytest.fixture
def store() -> TroubledStore:
    return TroubledStore()


@pytest_asyncio.fixture
async def server(store: TroubledStore) -> AsyncIterator[Server]:
    """A leader with the listed instrument ACME; alice has cash."""
    server = Server(store)
    server.start()
    await server.becomes(WriterState.LEADER)
    await server.open()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def standby(store: TroubledStore, server: Server) -> AsyncIterator[Server]:
    """A second server on the same log."""
    other = Server(store)
    other.start()
    yield other
    await other.stop()

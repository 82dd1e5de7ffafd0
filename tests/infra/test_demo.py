"""The demonstration market is seeded once, and only into an unused log."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from commands.messages import ChangeListing, ListingChanges
from domain.money import NO_MONEY, Money, dollars
from infra.server.demo import CASH, TRADERS, Demo, DemoMarket
from tests.support.served import Served, served

URL = "http://127.0.0.1:8000"


@pytest.fixture
async def server() -> AsyncGenerator[Served]:
    async with served() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo.json"


async def seeded(server: Served, path: Path) -> Demo | None:
    market = DemoMarket(
        server.writer,
        clock=server.clock,
        new_id=server.new_id,
        credentials=server.services.credentials,
        vault=server.services.vault,
        hasher=server.services.passwords,
        session_date="2026-01-01",
    )
    return await market.seed(path, URL)


def cash_in(server: Served) -> Money:
    wallets = server.writer.exchange.wallets.values()
    return sum((wallet.ledger for wallet in wallets), NO_MONEY)


async def test_seeding_again_adds_nothing(server: Served, path: Path):
    first = await seeded(server, path)
    head = server.log.reader.head()

    assert await seeded(server, path) == first
    assert server.log.reader.head() == head
    assert cash_in(server) == TRADERS * CASH


async def test_an_instrument_that_was_edited_since_keeps_nobody_from_starting(
    server: Served, path: Path
):
    first = await seeded(server, path)
    changes = ListingChanges(reference_price=dollars("101"), name="Acme & Sons")
    await server.writer.execute(ChangeListing(server.system_meta(), "ACME", changes))

    assert await seeded(server, path) == first


async def test_a_seeding_that_was_broken_off_is_brought_to_its_end(
    server: Served, path: Path
):
    first = await seeded(server, path)
    assert first is not None
    async with served() as other:
        # The file exists, but its users and markets are not in this log.
        again = await seeded(other, path)

        assert again is not None
        assert [each.password for each in again.traders] == [
            each.password for each in first.traders
        ]
        assert cash_in(other) == TRADERS * CASH


async def test_a_log_with_markets_of_its_own_gets_no_money_and_no_administrator(
    server: Served, path: Path, tmp_path: Path
):
    await seeded(server, path)
    head, elsewhere = server.log.reader.head(), tmp_path / "another.json"

    assert await seeded(server, elsewhere) is None
    assert server.log.reader.head() == head
    assert not elsewhere.exists()

"""The demonstration market is seeded once, and only into an unused log."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from commands.messages import ChangeListing, ListingChanges
from domain.money import NO_MONEY, Money, dollars
from infra.server.demo import CASH, TRADERS, Demo, DemoMarket, Login
from tests.support import calls
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


async def client_of(server: Served, login: Login) -> httpx.AsyncClient:
    answer = await server.client().post(
        "/auth/login", json={"email": login.email, "password": login.password}
    )
    return server.client(answer.json()["access_token"])


@pytest.mark.rule("BAND-02")
async def test_no_trader_bids_a_million_dollars_for_a_share(server: Served, path: Path):
    demo = await seeded(server, path)
    assert demo is not None
    ada = await client_of(server, demo.traders[0])

    method, orders, bid = calls.place(limit_price="1000000", qty=1)
    absurd = (await ada.request(method, orders, json=bid)).json()
    _, _, bid = calls.place(limit_price="90")
    resting = (await ada.request(method, orders, json=bid)).json()
    change = {"limit_price": "120.01"}
    refused = await ada.patch(f"{orders}/{resting['id']}", json=change)

    assert (absurd["status"], absurd["reject_reason"], absurd["reject_bound"]) == (
        "rejected",
        "price-outside-band",
        "120",
    )
    assert resting["status"] == "new"
    assert (refused.status_code, refused.json()["bound"]) == (422, "120")
    sentence = "the price 120.01 is outside the price band from 80 to 120"
    assert refused.json()["message"] == sentence


@pytest.mark.rule("FEE-01")
async def test_who_takes_pays_a_fee_and_sees_it(server: Served, path: Path):
    demo = await seeded(server, path)
    assert demo is not None
    maker, taker = [await client_of(server, each) for each in demo.traders[:2]]

    method, orders, ask = calls.place(side="sell")
    await maker.request(method, orders, json=ask)
    _, _, bid = calls.place(side="buy")
    bought = (await taker.request(method, orders, json=bid)).json()

    asset = (await taker.get("/v2/assets/ACME")).json()
    assert (asset["price_band"], asset["maker_fee_bps"], asset["taker_fee_bps"]) == (
        "0.2",
        0,
        3,
    )
    # 10 shares at 100 dollars, of which 3 basis points are 30 cents.
    (fill,) = (await taker.get(f"{orders}/{bought['id']}/fills")).json()
    assert (fill["fee"], fill["liquidity"]) == ("0.3", "taker")
    newest = (await taker.get("/v2/wallet/transactions")).json()[0]
    assert (newest["fee"], newest["amount"]) == ("0.3", "-1000.3")
    assert (await maker.get("/v2/wallet/transactions")).json()[0]["fee"] == "0"

"""The metrics: who may read them."""

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from tests.support.people import Person
from tests.support.served import Served

TOKEN = "a token for Prometheus"
HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"


async def read(
    server: Served,
    *,
    address: str = HERE,
    token: str = "",
    setting: str | None = None,
    **headers: str,
) -> httpx.Response:
    """Read the metrics from an address; `setting` is the token of the server."""
    services = msgspec.structs.replace(server.services, metrics_token=setting)
    transport = httpx.ASGITransport(create_app(services), client=(address, 4711))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(transport=transport, base_url="http://b") as client:
        return await client.get("/metrics", headers=sent)


@pytest.fixture
async def trader(server: Served) -> Person:
    return await server.person()


@pytest.mark.parametrize("address", [HERE, "127.1.2.3", "::1"])
async def test_a_program_on_this_machine_needs_no_token(server: Served, address: str):
    answer = await read(server, address=address)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(text_string_to_metric_families(answer.text))


@pytest.mark.parametrize("address", [ELSEWHERE, "::ffff:192.0.2.7", "unix", ""])
async def test_another_machine_needs_a_token(server: Served, address: str):
    answer = await read(server, address=address)

    assert answer.status_code == 401
    assert "BOURSE_METRICS_TOKEN" in answer.json()["message"]


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"])
async def test_who_comes_through_a_proxy_is_not_on_this_machine(
    server: Served, name: str
):
    assert (await read(server, **{name: "x"})).status_code == 401


async def test_a_configured_token_is_asked_of_everybody(server: Served):
    for address in (HERE, ELSEWHERE):
        right = await read(server, address=address, token=TOKEN, setting=TOKEN)
        wrong = await read(server, address=address, token=TOKEN[:-1], setting=TOKEN)
        none = await read(server, address=address, setting=TOKEN)

        assert [right.status_code, wrong.status_code, none.status_code] == [
            200,
            401,
            401,
        ]


@pytest.mark.parametrize("setting", [None, TOKEN])
async def test_an_administrator_may_read_and_a_trader_may_not(
    server: Served, admin: Person, trader: Person, setting: str | None
):
    for person, status in ((admin, 200), (trader, 403)):
        answer = await read(
            server, address=ELSEWHERE, token=person.token, setting=setting
        )

        assert answer.status_code == status

"""Large responses are compressed, if the client accepts it."""

import gzip
import json

import httpx
import pytest

from tests.support import calls
from tests.support.people import Person
from tests.support.served import Served

LARGE = "/v2/orders?limit=500"


@pytest.fixture
async def busy(server: Served) -> Person:
    """A trader whose list of orders is large."""
    trader = await server.trader()
    for _ in range(20):
        await trader.does(calls.place(qty=1, limit_price="90.00"))
    return trader


async def plain(person: Person, path: str) -> httpx.Response:
    return await person.request("GET", path, Accept_Encoding="identity")


async def test_a_large_response_is_compressed_for_a_client_that_accepts_it(
    busy: Person,
):
    async with busy.client.stream("GET", LARGE) as response:
        sent = b"".join([each async for each in response.aiter_raw()])

    whole = await plain(busy, LARGE)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(sent))
    assert gzip.decompress(sent) == whole.content
    assert len(sent) < len(whole.content) / 4


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", ""])
async def test_a_client_that_does_not_accept_it_gets_the_plain_response(
    busy: Person, accepted: str
):
    response = await busy.request("GET", LARGE, Accept_Encoding=accepted)

    assert "Content-Encoding" not in response.headers
    assert response.headers["Content-Length"] == str(len(response.content))
    assert len(json.loads(response.content)) == 20


async def test_caches_keep_the_two_forms_apart(busy: Person):
    for response in (await busy.request("GET", LARGE), await plain(busy, LARGE)):
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Bourse-Log-Position" in response.headers


@pytest.mark.parametrize("path", ["/v2/account", "/health/live", "/v2/books/ACME"])
async def test_a_small_response_is_never_compressed(busy: Person, path: str):
    response = await busy.request("GET", path)

    assert "Content-Encoding" not in response.headers
    assert "Vary" not in response.headers


async def test_a_command_is_answered_in_plain_form(busy: Person):
    orders = [calls.order(qty=1, limit_price="90.00")] * 20

    response = await busy.request("POST", "/v2/orders:batch", {"orders": orders})

    assert len(response.content) > 10_000
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_head_says_how_get_would_be_compressed(busy: Person, accepted: str):
    get = await busy.request("GET", LARGE, Accept_Encoding=accepted)
    head = await busy.request("HEAD", LARGE, Accept_Encoding=accepted)

    assert head.content == b""
    for name in ("Content-Encoding", "Content-Length", "Vary", "Content-Type"):
        assert head.headers.get(name) == get.headers.get(name), name


async def test_the_api_document_is_compressed(server: Served):
    response = await server.client().get("/schema/openapi.json")

    assert response.headers["Content-Encoding"] == "gzip"
    assert response.json()["openapi"]

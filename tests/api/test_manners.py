"""What every HTTP client may expect: HEAD, and private answers that nobody stores."""

import gzip
import re

import pytest

from tests.support.people import Person
from tests.support.served import Served

PRIVATE = ("/v2/account", "/v2/orders", "/v2/positions", "/v2/wallet", "/v2/clock")
PUBLIC = ("/health/ready", "/v2/assets", "/v2/books/ACME", "/v2/prices/ACME")


@pytest.mark.parametrize("path", [*PRIVATE, *PUBLIC, "/v2/none", "/v2/assets/NONE"])
async def test_head_is_get_without_the_body(ada: Person, path: str):
    get = await ada.request("GET", path)
    head = await ada.request("HEAD", path)

    assert head.content == b""
    assert get.content
    assert head.status_code == get.status_code
    varying = {"bourse-log-position", "content-length"}
    for name in ("content-type", "content-length", "cache-control", "allow"):
        if name not in varying or path != "/v2/clock":
            assert head.headers.get(name) == get.headers.get(name), name


async def test_head_is_refused_as_get_is(server: Served):
    assert (await server.client().request("HEAD", "/v2/account")).status_code == 401
    assert (await server.client().request("HEAD", "/auth/login")).status_code == 405


async def test_private_answers_are_not_stored(server: Served, ada: Person):
    for path in PRIVATE:
        assert (await ada.request("GET", path)).headers["Cache-Control"] == "no-store"
    for path in PUBLIC:
        assert "Cache-Control" not in (await server.client().get(path)).headers


async def test_the_address_of_the_server_is_a_page_for_people(server: Served):
    client = server.client()

    page = await client.get("/")

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "//" not in page.text, "it needs no other host"
    links = re.findall(r'href="([^"]+)"', page.text)
    assert len(links) == 5
    for link in links:
        assert (await client.get(link)).status_code == 200, link
    assert (await client.post("/")).status_code == 405


@pytest.mark.parametrize("path", ["/v2/orders", "/v2/orders:batch", "/auth/login"])
async def test_a_compressed_body_is_refused_by_its_encoding(ada: Person, path: str):
    body = gzip.compress(b"{}")
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    response = await ada.client.post(path, content=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (415, 41510000)
    assert response.json()["reason"] == "unsupported-content-encoding"
    headers["Content-Encoding"] = "identity"
    plain = await ada.client.post(path, content=b"{}", headers=headers)
    assert plain.status_code == 422

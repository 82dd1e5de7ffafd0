"""Ids and symbols are accepted in every spelling, in paths, queries and bodies."""

from collections.abc import Callable
from uuid import UUID

import pytest

from api.http.request_errors import BadParameter
from api.wire.names import instrument_name, uuid_text
from tests.support.people import Person
from tests.support.served import Served

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "without hyphens": lambda text: text.replace("-", ""),
    "in capitals": str.upper,
    "in capitals without hyphens": lambda text: text.replace("-", "").upper(),
    "in braces": lambda text: f"{{{text}}}",
    "as a URN": lambda text: UUID(text).urn,
}
NOT_IDS = (
    "",
    "none",
    "0" * 31,
    "0" * 33,
    "g" * 32,
    "٠" * 32,
    "0x" + "0" * 30,
    "_" * 32,
)


@pytest.fixture(params=SPELLINGS)
def spelled(request: pytest.FixtureRequest) -> Callable[[str], str]:
    return SPELLINGS[request.param]


async def test_an_order_id_is_accepted_in_every_spelling(
    ada: Person, admin: Person, spelled: Callable[[str], str]
):
    order_id = (await ada.places(qty=5, limit_price=90))["id"]
    path = f"/v2/orders/{spelled(order_id)}"

    assert (await ada.gets(path))["id"] == order_id
    assert await ada.gets(f"{path}/fills") == []
    replaced = await ada.sends("PATCH", path, {"qty": 4})
    assert replaced["replaces"] == order_id
    await ada.sends("DELETE", f"/v2/orders/{spelled(replaced['id'])}")
    other = (await ada.places(qty=5, limit_price=90))["id"]
    canceled = await admin.request(
        "DELETE", f"/v2/admin/orders/{spelled(other)}?reason=news"
    )
    assert canceled.status_code < 300


async def test_an_asset_id_is_accepted_in_every_spelling(
    server: Served, ada: Person, admin: Person, spelled: Callable[[str], str]
):
    client = server.client()
    asset = (await client.get("/v2/assets/ACME")).json()
    name = spelled(asset["id"])

    assert (await client.get(f"/v2/assets/{name}")).json() == asset
    placed = await ada.places(symbol=name, side="sell", qty=3, limit_price=101)
    assert (placed["symbol"], placed["asset_id"]) == ("ACME", asset["id"])
    assert (await ada.gets(f"/v2/positions/{name}"))["asset_id"] == asset["id"]
    await ada.sends("DELETE", "/v2/orders")
    closed = await ada.sends("DELETE", f"/v2/positions/{name}?qty=1")
    assert closed["symbol"] == "ACME"
    shares = f"/v2/admin/accounts/{spelled(ada.account_id)}/shares"
    granted = {"symbol": name, "qty": 1, "price": 1, "reference": name}
    assert (await admin.request("POST", shares, granted)).status_code < 300


async def test_a_symbol_is_accepted_in_either_case(server: Served, ada: Person):
    client = server.client()
    placed = await ada.places(symbol="acme", qty=2, limit_price=90)

    assert placed["symbol"] == "ACME"
    for path in ("/v2/assets/acme", "/v2/prices/acme", "/v2/books/acme"):
        assert (await client.get(path)).json()["symbol"] == "ACME", path
    assert (await client.get("/v2/trades/acme")).status_code == 200
    assert len((await client.get("/v2/prices?symbols=acme")).json()) == 1
    for query in ("symbols=acme", "symbol=acme"):
        listed = await ada.gets(f"/v2/orders?{query}")
        assert [each["id"] for each in listed] == [placed["id"]]
    moves = await ada.gets("/v2/wallet/transactions?symbols=acme")
    assert {each["symbol"] for each in moves} == {"ACME"}
    canceled = await ada.sends("DELETE", "/v2/orders?symbols=acme")
    assert [each["id"] for each in canceled] == [placed["id"]]


@pytest.mark.parametrize("text", NOT_IDS)
def test_what_is_not_a_uuid_is_refused(text: str):
    with pytest.raises(BadParameter, match="order_id must be a UUID"):
        uuid_text(text, "order_id")
    if len(text) >= 32:
        with pytest.raises(BadParameter, match="a symbol or an asset id"):
            instrument_name(text)


async def test_a_malformed_id_is_refused_on_every_route(ada: Person, admin: Person):
    for person, method, path in (
        (ada, "GET", "/v2/orders/x"),
        (ada, "DELETE", "/v2/orders/x"),
        (ada, "PATCH", "/v2/orders/x"),
        (ada, "GET", "/v2/orders/x/fills"),
        (ada, "GET", "/v2/books/" + "x" * 40),
        (ada, "GET", "/v2/positions/" + "x" * 40),
        (admin, "POST", "/v2/admin/accounts/x/deposits"),
        (admin, "PUT", "/v2/admin/accounts/x/limits"),
        (admin, "DELETE", "/v2/admin/orders/x?reason=y"),
    ):
        sent: object = {} if method in ("POST", "PUT") else None
        response = await person.request(method, path, sent)
        assert (response.status_code, response.json()["code"]) == (422, 40010001), path
    body = {"symbol": "x" * 40, "side": "buy", "type": "market", "time_in_force": "day"}
    response = await ada.request("POST", "/v2/orders", {**body, "qty": 1})
    assert (response.status_code, response.json()["code"]) == (422, 40010001)

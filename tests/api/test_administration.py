"""What administrators do over HTTP: list and edit instruments, fund accounts, audit."""

from uuid import uuid4

import pytest

from commands.state.frozen import state_hash
from tests.support.people import Person
from tests.support.served import Served


async def test_listing_an_asset_returns_the_asset(admin: Person):
    asset = await admin.list_asset(
        price_band="0.10", collar=0.05, maker_fee_bps=1, taker_fee_bps=2
    )

    assert asset["symbol"] == "ACME"
    assert asset["class"] == "us_equity"
    assert asset["status"] == "active"
    assert (asset["price_band"], asset["collar"]) == ("0.1", "0.05")
    assert (asset["maker_fee_bps"], asset["taker_fee_bps"]) == (1, 2)
    assert asset["price_increment"] == asset["tick_size"] == "0.01"
    read = await admin.gets("/v2/assets/ACME")
    assert read == asset


async def test_a_halt_returns_its_reason(admin: Person):
    await admin.list_asset()
    path = "/v2/admin/assets/ACME"

    halted = await admin.sends("POST", f"{path}/halt", {"reason": "news pending"})
    read = await admin.gets("/v2/assets/ACME")
    resumed = await admin.sends("POST", f"{path}/resume")

    assert (halted["halted"], halted["halt_reason"]) == (True, "news pending")
    assert read == halted
    assert (resumed["halted"], resumed["halt_reason"]) == (False, None)


async def test_a_symbol_is_listed_once(admin: Person):
    await admin.list_asset()
    body = {"symbol": "ACME", "name": "again", "reference_price": 1}

    response = await admin.request("POST", "/v2/admin/assets", body)

    assert response.status_code == 409
    assert response.json()["code"] == 40910000


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"symbol": "acme"}, 40010001),
        ({"symbol": "A" * 13}, 40010001),
        ({"symbol": "A/B"}, 40010001),
        ({"symbol": "A\n"}, 40010001),
        ({"name": ""}, 40010001),
        ({"exchange": "XNAS"}, 40010001),
        ({"tick_size": "0"}, 42210000),
        ({"tick_size": "0.00001"}, 40010001),
        ({"lot_size": "0.5"}, 42210000),
        ({"reference_price": "100.005"}, 42210000),
        ({"reference_price": None}, 40010001),
        ({"price_band": 10}, 40010001),
        ({"price_band": "0.00001"}, 40010001),
        ({"price_band": -0.1}, 40010001),
        ({"collar": 1}, 40010001),
        ({"maker_fee_bps": 10_001}, 40010001),
        ({"maker_fee_bps": 0.5}, 40010001),
        ({"halted": True}, 40010001),
    ],
    ids=str,
)
async def test_invalid_terms_are_refused(
    admin: Person, terms: dict[str, object], code: int
):
    body = {"symbol": "ACME", "name": "Acme", "reference_price": 100} | terms

    response = await admin.request("POST", "/v2/admin/assets", body)

    assert (response.status_code, response.json()["code"]) == (422, code)


async def test_a_band_of_one_or_more_is_refused_with_an_example(admin: Person):
    body = {"symbol": "ACME", "name": "Acme", "reference_price": 100, "price_band": 10}

    response = await admin.request("POST", "/v2/admin/assets", body)

    assert "0.10 is ten percent" in response.json()["message"]


@pytest.mark.parametrize("nothing", [None, 0, "0"])
async def test_a_price_band_can_be_set_and_removed(admin: Person, nothing: object):
    await admin.list_asset()
    path = "/v2/admin/assets/ACME"

    assert (await admin.sends("PATCH", path, {"price_band": 0.2}))["price_band"] == (
        "0.2"
    )
    assert (await admin.sends("PATCH", path, {"name": "A"}))["price_band"] == "0.2"
    removed = await admin.sends("PATCH", path, {"price_band": nothing})
    assert removed["price_band"] is None


async def test_an_unknown_asset_cannot_be_edited_or_halted(admin: Person):
    for method, path in (
        ("PATCH", "/v2/admin/assets/NONE"),
        ("POST", "/v2/admin/assets/NONE/halt"),
        ("POST", "/v2/admin/assets/NONE/resume"),
    ):
        response = await admin.request(method, path, {} if method == "PATCH" else None)
        assert response.status_code == 404


async def test_a_deposit_with_a_reference_is_made_once(ada: Person, admin: Person):
    path = f"/v2/admin/accounts/{ada.account_id}/deposits"
    body = {"amount": "12.5", "reference": "wire 7"}

    first = await admin.request("POST", path, body)
    again = await admin.request("POST", path, body)
    other = await admin.request("POST", path, body | {"amount": 13})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["account_id"] == ada.account_id
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, 40910000)
    assert (await ada.gets("/v2/wallet"))["ledger"] == "1000012.5"


async def test_an_idempotency_key_makes_a_command_once(ada: Person, admin: Person):
    path = f"/v2/admin/accounts/{ada.account_id}/shares"
    body = {"symbol": "ACME", "qty": 5, "price": "90"}

    first = await admin.request("POST", path, body, Idempotency_Key="k")
    again = await admin.request("POST", path, body, Idempotency_Key="k")
    other = await admin.request("POST", path, body | {"qty": 6}, Idempotency_Key="k")

    assert (first.status_code, again.status_code) == (201, 200)
    assert (other.status_code, other.json()["code"]) == (409, 40910000)
    assert (await ada.gets("/v2/positions/ACME"))["qty"] == "10005"


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 129, "\x01"])
async def test_an_invalid_idempotency_key_is_refused(admin: Person, key: str):
    await admin.list_asset()

    response = await admin.client.post(
        "/v2/admin/assets/ACME/halt", headers={"Idempotency-Key": key}
    )

    assert (response.status_code, response.json()["code"]) == (422, 40010001)


@pytest.mark.parametrize("amount", [0, -1, "1e400", "0.00001", "x", None, 10**14])
async def test_an_invalid_amount_is_refused(ada: Person, admin: Person, amount: object):
    path = f"/v2/admin/accounts/{ada.account_id}/deposits"

    response = await admin.request("POST", path, {"amount": amount})

    assert response.status_code == 422


async def test_an_unknown_account_cannot_be_funded(admin: Person):
    path = f"/v2/admin/accounts/{uuid4()}/deposits"

    response = await admin.request("POST", path, {"amount": 1, "reference": "wire 1"})

    assert response.status_code == 404


async def test_a_deposit_that_a_repeat_could_double_is_refused(
    ada: Person, admin: Person
):
    account = f"/v2/admin/accounts/{ada.account_id}"
    shares = {"symbol": "ACME", "qty": 1, "price": 1}
    before = (await ada.gets("/v2/wallet"))["ledger"]

    for path, body in (("deposits", {"amount": 5}), ("shares", shares)):
        refused = await admin.request("POST", f"{account}/{path}", body)
        assert (refused.status_code, refused.json()["field"]) == (422, "reference")
        for _ in range(2):
            keyed = await admin.request(
                "POST", f"{account}/{path}", body, Idempotency_Key=path
            )
            assert keyed.status_code in (200, 201)
            named = {**body, "reference": "wire 7"}
            assert (
                await admin.request("POST", f"{account}/{path}", named)
            ).status_code in (200, 201)

    wallet = await ada.gets("/v2/wallet")
    assert float(wallet["ledger"]) == float(before) + 10


async def test_an_administrator_cancels_an_order_with_a_reason(
    ada: Person, admin: Person
):
    first, second = await ada.places(), await ada.places()

    without = await admin.request("DELETE", f"/v2/admin/orders/{first['id']}")
    odd = await admin.request("DELETE", f"/v2/admin/orders/{first['id']}?reason=%00")
    path = f"/v2/admin/orders/{first['id']}?reason=error+trade"
    with_query = await admin.request("DELETE", path)
    with_body = await admin.request(
        "DELETE", f"/v2/admin/orders/{second['id']}", {"reason": "fat finger"}
    )

    assert without.status_code == odd.status_code == 422
    assert with_query.status_code == with_body.status_code == 204
    order = await ada.gets(f"/v2/orders/{first['id']}")
    assert order["status"] == "canceled"
    assert order["cancel_reason"] == "administrative"
    assert order["cancel_note"] == "error trade"


async def test_the_audit_returns_a_hash_of_every_aggregate(
    server: Served, ada: Person, admin: Person
):
    await ada.places()

    states = await admin.gets("/v2/audit/state")

    streams = server.writer.exchange.streams
    assert {each["stream"] for each in states} == {
        name for name, aggregate in streams.items() if aggregate.version
    }
    for each in states:
        aggregate = streams[each["stream"]]
        assert each["version"] == aggregate.version
        assert each["hash"] == state_hash(aggregate)


@pytest.mark.rule("ORDER-15")
async def test_an_administrator_sets_how_many_open_orders_an_account_may_have(
    ada: Person, admin: Person
):
    path = f"/v2/admin/accounts/{ada.account_id}/limits"
    body = {"max_open_orders": 1}

    set_once = await admin.request("PUT", path, body, Idempotency_Key="k-7")
    again = await admin.request("PUT", path, body, Idempotency_Key="k-7")
    await ada.places(qty=1, limit_price="1")
    refused = await ada.order(qty=1, limit_price="1")

    assert set_once.json()["max_open_orders"] == 1
    assert again.json() == set_once.json()
    assert (refused.status_code, refused.json()["reason"]) == (
        403,
        "too-many-open-orders",
    )
    assert refused.json()["max_open_orders"] == 1
    for wrong in (-1, 1_000_001, "many", 10**30):
        response = await admin.request("PUT", path, {"max_open_orders": wrong})
        assert response.status_code in (400, 422), wrong


async def test_a_trader_cannot_use_the_routes_of_administrators(
    server: Served, ada: Person
):
    for method, path in (
        ("POST", "/v2/admin/assets"),
        ("PATCH", "/v2/admin/assets/ACME"),
        ("POST", f"/v2/admin/accounts/{ada.account_id}/deposits"),
        ("POST", f"/v2/admin/accounts/{ada.account_id}/shares"),
        ("PUT", f"/v2/admin/accounts/{ada.account_id}/limits"),
        ("DELETE", "/v2/admin/orders/none?reason=x"),
        ("GET", "/v2/audit/state"),
    ):
        assert (await ada.request(method, path)).status_code == 403
        assert (await server.client().request(method, path)).status_code == 401


async def test_two_spellings_of_a_number_are_the_same_content_under_a_key(
    ada: Person, admin: Person
):
    path = f"/v2/admin/accounts/{ada.account_id}/deposits"

    first = await admin.request("POST", path, {"amount": 10}, Idempotency_Key="k-9")
    again = await admin.request(
        "POST", path, {"amount": "10.00"}, Idempotency_Key="k-9"
    )
    other = await admin.request("POST", path, {"amount": 11}, Idempotency_Key="k-9")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 409


@pytest.mark.rule("LIST-05")
async def test_a_band_that_leaves_out_an_order_needs_force(admin: Person, ada: Person):
    await ada.places(limit_price="90")
    path, band = "/v2/admin/assets/ACME", {"price_band": "0.05"}

    refused = await admin.request("PATCH", path, band)
    forced = await admin.sends("PATCH", f"{path}?force=true", band)

    assert refused.status_code == 409
    assert refused.json()["reason"] == "orders-outside-band"
    assert refused.json()["orders"] == 1
    assert forced["price_band"] == "0.05"

"""Placing orders over HTTP: the answers to commands and to their repeats."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served


async def test_an_order_that_rests_is_new(ada: Person):
    response = await ada.order(client_order_id="mine")

    assert response.status_code == 200
    placed = response.json()
    assert placed["status"] == "new"
    assert placed["client_order_id"] == "mine"
    assert (placed["qty"], placed["filled_qty"]) == ("10", "0")
    assert placed["limit_price"] == "100"
    assert placed["order_type"] == placed["type"] == "limit"
    assert placed["order_class"] == ""
    assert placed["filled_avg_price"] is None
    assert placed["submitted_at"].endswith("Z")
    assert int(response.headers["Bourse-Log-Position"]) > 0


async def test_the_answer_shows_the_order_after_matching(ada: Person, bob: Person):
    await ada.places(side="sell", qty=4, limit_price=100.1)
    await ada.places(side="sell", qty=4, limit_price="100.20")

    placed = await bob.places(qty=10, limit_price=100.3)

    assert placed["status"] == "partially_filled"
    assert placed["filled_qty"] == "8"
    assert placed["filled_avg_price"] == "100.15"


async def test_the_rest_of_an_immediate_order_is_canceled_with_its_reason(
    ada: Person, bob: Person
):
    await ada.places(side="sell", qty=4)

    placed = await bob.places(time_in_force="ioc")

    assert placed["status"] == "canceled"
    assert placed["cancel_reason"] == "immediate-or-cancel"
    assert placed["filled_qty"] == "4"
    assert placed["canceled_at"] is not None


async def test_an_order_that_the_market_rejects_is_a_rejected_order(
    ada: Person, admin: Person
):
    await admin.sends("POST", "/v2/admin/assets/ACME/halt")

    response = await ada.order()

    assert response.status_code == 200
    placed = response.json()
    assert placed["status"] == "rejected"
    assert placed["reject_reason"] == "market-halted"
    assert placed["failed_at"] is not None


async def test_the_same_client_order_id_again_gets_the_first_answer(ada: Person):
    first = await ada.order(client_order_id="once")
    again = await ada.order(client_order_id="once")

    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Bourse-Log-Position"] == first.headers["Bourse-Log-Position"]


async def test_the_same_client_order_id_with_other_terms_is_a_duplicate(ada: Person):
    await ada.order(client_order_id="once")

    response = await ada.order(client_order_id="once", qty=11)

    assert response.status_code == 422
    assert response.json()["code"] == 40010001
    assert response.json()["reason"] == "duplicate-client-order-id"


async def test_the_id_of_a_named_order_is_free_as_a_client_order_id(ada: Person):
    first = await ada.places(client_order_id="mine")

    second = await ada.places(client_order_id=first["id"])
    again = await ada.places(client_order_id=first["id"])

    assert second["id"] != first["id"]
    assert again["id"] == second["id"]
    path = "/v2/orders:by_client_order_id?client_order_id="
    assert (await ada.gets(path + first["id"]))["id"] == second["id"]
    assert (await ada.gets(path + "mine"))["id"] == first["id"]


async def test_an_idempotency_key_is_also_the_client_order_id(ada: Person):
    first = await ada.request("POST", "/v2/orders", order(), Idempotency_Key="k-1")
    again = await ada.request("POST", "/v2/orders", order(), Idempotency_Key="k-1")

    assert first.json()["client_order_id"] == "k-1"
    assert again.json()["id"] == first.json()["id"]


async def test_an_idempotency_key_with_another_order_is_a_conflict(ada: Person):
    first = await ada.request("POST", "/v2/orders", order(), Idempotency_Key="k-1")
    again = await ada.request(
        "POST", "/v2/orders", order(qty="10.0"), Idempotency_Key="k-1"
    )

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    for other in (order(qty=11), order(client_order_id="mine")):
        refused = await ada.request("POST", "/v2/orders", other, Idempotency_Key="k-1")
        assert (refused.status_code, refused.json()["code"]) == (409, 40910000)
    assert len(await ada.gets("/v2/orders")) == 1


async def test_an_idempotency_key_makes_a_batch_once(ada: Person):
    batch = {"orders": [order(), order(qty="many"), order(qty=3)]}
    path, key = "/v2/orders:batch", "k-1"

    first = await ada.request("POST", path, batch, Idempotency_Key=key)
    again = await ada.request("POST", path, batch, Idempotency_Key=key)
    other = await ada.request("POST", path, {"orders": [order()]}, Idempotency_Key=key)

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [each["status"] for each in first.json()] == [200, 422, 200]
    assert (other.status_code, other.json()["code"]) == (409, 40910000)
    assert len(await ada.gets("/v2/orders")) == 2


async def test_a_batch_uses_its_key_even_if_it_places_no_order(ada: Person):
    first = {"orders": [order(symbol="NONE"), order(qty=2)]}
    path, key = "/v2/orders:batch", "k-1"
    before = await ada.request("POST", path, first, Idempotency_Key=key)
    assert [each["status"] for each in before.json()] == [422, 200]

    shorter = {"orders": [order(qty=7)]}
    other = await ada.request("POST", path, shorter, Idempotency_Key=key)
    single = await ada.request("POST", "/v2/orders", order(), Idempotency_Key=key)
    again = await ada.request("POST", path, first, Idempotency_Key=key)

    assert (other.status_code, single.status_code) == (409, 409)
    assert key in other.json()["message"]
    assert again.json() == before.json()
    assert len(await ada.gets("/v2/orders")) == 1


async def test_an_asset_id_may_replace_the_symbol(ada: Person):
    first = await ada.places()

    assert (await ada.places(symbol=first["asset_id"]))["symbol"] == "ACME"


async def test_the_response_returns_the_request_id_and_the_facts_carry_it(
    server: Served, ada: Person
):
    response = await ada.request("POST", "/v2/orders", order(), X_Request_Id="r-7")

    assert response.headers["X-Request-Id"] == "r-7"
    fact = server.log.reader.read(server.log.reader.head() - 1, 1).facts[0]
    assert fact.event.meta.correlation_id == "r-7"


async def test_a_batch_has_one_result_per_order_in_sequence(ada: Person):
    orders = [order(), order(symbol="NONE"), order(qty="many"), order(qty=3)]

    response = await ada.request("POST", "/v2/orders:batch", {"orders": orders})

    assert response.status_code == 207
    results = response.json()
    assert [each["status"] for each in results] == [200, 422, 422, 200]
    assert results[1]["body"]["reason"] == "unknown-symbol"
    assert results[2]["body"]["field"] == "qty"
    assert results[3]["body"]["qty"] == "3"


async def test_clients_can_page_the_orders_of_a_batch_by_time(ada: Person):
    batch = {"orders": [order(limit_price=90)] * 7}
    await ada.sends("POST", "/v2/orders:batch", batch)

    seen: list[str] = []
    until = ""
    while page := await ada.gets(f"/v2/orders?limit=3{until}"):
        seen += [each["id"] for each in page]
        until = "&until=" + page[-1]["submitted_at"]

    assert len(set(seen)) == len(seen) == 7


async def test_the_time_of_an_order_is_the_end_of_its_body(server: Served, ada: Person):
    sent: list[int] = []

    async def slow_body() -> AsyncGenerator[bytes]:
        sent.append(server.clock.now())
        yield msgspec.json.encode(order())

    response = await ada.client.post(
        "/v2/orders",
        content=slow_body(),
        headers={"Content-Type": "application/json"},
    )

    fact = server.log.reader.read(server.log.reader.head() - 1, 1).facts[0]
    assert response.status_code == 200
    assert fact.event.meta.at >= sent[0]


async def test_a_batch_may_name_one_client_order_id_twice(ada: Person):
    orders = [order(client_order_id="x"), order(client_order_id="x")]

    response = await ada.request("POST", "/v2/orders:batch", {"orders": orders})

    first, again = response.json()
    assert first["body"] == again["body"]


@pytest.mark.parametrize("count", [0, 501])
async def test_a_batch_has_one_to_five_hundred_orders(ada: Person, count: int):
    body = {"orders": [order()] * count}

    response = await ada.request("POST", "/v2/orders:batch", body)

    assert response.status_code == 422


async def test_a_replacement_names_the_order_that_it_replaces(ada: Person):
    placed = await ada.places()

    changed = await ada.sends(
        "PATCH", f"/v2/orders/{placed['id']}", {"qty": 5, "limit_price": 99.5}
    )

    assert changed["replaces"] == placed["id"]
    assert (changed["qty"], changed["limit_price"]) == ("5", "99.5")
    assert changed["id"] != placed["id"]


async def test_a_cancel_has_an_empty_body_and_works_once(
    ada: Person,
):
    placed = await ada.places()

    first = await ada.request("DELETE", f"/v2/orders/{placed['id']}")
    again = await ada.request("DELETE", f"/v2/orders/{placed['id']}")

    assert (first.status_code, first.content) == (204, b"")
    assert again.status_code == 422
    assert again.json()["code"] == 42210000
    assert again.json()["message"] == 'order is already in "canceled" state'


async def test_a_repeated_cancel_all_with_a_key_cancels_no_later_order(ada: Person):
    key = {"Idempotency_Key": "stop"}
    first = await ada.request("DELETE", "/v2/orders", **key)
    order = await ada.places(qty=1, limit_price=50)

    again = await ada.request("DELETE", "/v2/orders", **key)

    assert (first.status_code, again.status_code) == (207, 207)
    assert first.json() == again.json() == []
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Bourse-Log-Position"] == first.headers["Bourse-Log-Position"]
    assert (await ada.gets(f"/v2/orders/{order['id']}"))["status"] == "new"


async def test_a_cancel_all_for_symbols_leaves_other_orders(ada: Person, admin: Person):
    await admin.list_asset("GLBX")
    acme, glbx = await ada.places(), await ada.places(symbol="GLBX")

    canceled = await ada.sends("DELETE", "/v2/orders?symbols=GLBX")
    unknown = await ada.request("DELETE", "/v2/orders?symbols=NONE")

    assert [each["id"] for each in canceled] == [glbx["id"]]
    assert (unknown.status_code, unknown.json()["code"]) == (422, 42210000)
    assert [each["id"] for each in await ada.gets("/v2/orders")] == [acme["id"]]


async def test_a_cancel_all_cancels_every_order_of_the_account(
    ada: Person, bob: Person
):
    mine = [await ada.places(), await ada.places(side="sell", limit_price=120)]
    await bob.places()

    response = await ada.request("DELETE", "/v2/orders")

    assert response.status_code == 207
    assert {each["id"] for each in response.json()} == {each["id"] for each in mine}
    assert {each["status"] for each in response.json()} == {200}
    assert (await ada.sends("DELETE", "/v2/orders")) == []


async def test_another_accounts_order_cannot_be_changed(ada: Person, bob: Person):
    placed = await ada.places()

    patched = await bob.request("PATCH", f"/v2/orders/{placed['id']}", {"qty": 1})
    deleted = await bob.request("DELETE", f"/v2/orders/{placed['id']}")

    assert (patched.status_code, deleted.status_code) == (404, 404)
    assert patched.json()["code"] == deleted.json()["code"] == 40410000


async def test_an_answer_has_every_key_of_an_order(ada: Person):
    response = await ada.order()

    keys = msgspec.json.decode(response.content, type=dict[str, object]).keys()
    assert {"expires_at", "legs", "hwm", "notional", "stop_price", "replaces"} <= keys


async def test_a_server_that_does_not_lead_refuses_a_whole_batch(
    server: Served, ada: Person
):
    await server.writer.stop()
    await server.stands_by.wait()

    response = await ada.request("POST", "/v2/orders:batch", {"orders": [order()]})

    assert (response.status_code, response.json()["reason"]) == (503, "not-leading")
    assert response.headers["Retry-After"] == "1"

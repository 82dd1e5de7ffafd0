"""docs/rules/orders.md: repeated client order ids, and orders that left the writer."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served

BASE: dict[str, Any] = {"client_order_id": "mine", "limit_price": "90"}


@pytest.mark.rule("ORDER-09")
async def test_a_repeated_order_shows_its_current_state(ada: Person):
    first = await ada.places(**BASE)
    await ada.sends("DELETE", f"/v2/orders/{first['id']}")

    again = await ada.order(**BASE)

    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "canceled")


@pytest.mark.rule("ORDER-09")
@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "OTHER"},
        {"side": "sell"},
        {"type": "market", "limit_price": None, "time_in_force": "day"},
        {"time_in_force": "day"},
        {"qty": 11},
        {"limit_price": "91"},
        {"self_trade_prevention": "cancel_both"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_repeated_order_with_other_content_is_refused(
    ada: Person, admin: Person, change: dict[str, Any]
):
    await admin.list_asset("OTHER")
    await ada.places(**BASE)

    other = await ada.order(**{**BASE, **change})

    assert (other.status_code, other.json()["code"]) == (422, 40010001)
    assert other.json()["reason"] == "duplicate-client-order-id"


@pytest.mark.rule("ORDER-09")
async def test_a_repeated_order_may_spell_out_its_self_trade_prevention(
    ada: Person,
):
    await ada.places(**BASE)

    again = await ada.order(**BASE, self_trade_prevention="cancel_newest")

    assert again.status_code == 200


@pytest.mark.rule("ORDER-09")
async def test_a_repeated_rejected_order_stays_rejected(ada: Person, admin: Person):
    await admin.sends("POST", "/v2/admin/assets/ACME/halt")
    first = await ada.places(**BASE)
    await admin.sends("POST", "/v2/admin/assets/ACME/resume")

    again = await ada.places(**BASE)

    assert again == first
    assert again["status"] == "rejected"


@pytest.mark.rule("ORDER-09")
async def test_a_repeated_replacement_shows_its_current_state(ada: Person):
    old = await ada.places(limit_price="90")
    change = {"qty": 5, "client_order_id": "again"}
    path = f"/v2/orders/{old['id']}"
    first = await ada.sends("PATCH", path, change)
    await ada.sends("DELETE", f"/v2/orders/{first['id']}")

    again = await ada.request("PATCH", path, change)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "canceled")


@pytest.mark.rule("ORDER-09")
@pytest.mark.parametrize(
    "change",
    [
        {"qty": 6},
        {"qty": None},
        {"limit_price": "89"},
        {"limit_price": None},
        {"time_in_force": "gtc"},
    ],
    ids=str,
)
async def test_a_repeated_replacement_with_other_content_is_refused(
    ada: Person, change: dict[str, Any]
):
    old = await ada.places(limit_price="90")
    terms: dict[str, Any] = {
        "qty": 5,
        "limit_price": "88",
        "time_in_force": "day",
        "client_order_id": "again",
    }
    path = f"/v2/orders/{old['id']}"
    await ada.sends("PATCH", path, terms)

    other = await ada.request("PATCH", path, {**terms, **change})

    assert other.json()["reason"] == "duplicate-client-order-id"


@pytest.mark.rule("ORDER-09")
async def test_an_order_and_a_replacement_cannot_share_a_client_order_id(ada: Person):
    old = await ada.places(limit_price="90", client_order_id="first")
    other = await ada.places(limit_price="80", client_order_id="other")
    path = f"/v2/orders/{other['id']}"
    await ada.sends("PATCH", path, {"qty": 5, "client_order_id": "third"})

    as_order = await ada.order(limit_price="80", qty=5, client_order_id="third")
    path = f"/v2/orders/{old['id']}"
    as_replacement = await ada.request("PATCH", path, {"client_order_id": "other"})

    for response in (as_order, as_replacement):
        assert response.json()["reason"] == "duplicate-client-order-id"


@pytest.mark.rule("ORDER-09")
async def test_a_repeat_is_unavailable_while_its_view_is_behind(
    server: Served, ada: Person
):
    await ada.places(**BASE)
    server.views.catch_up()
    server.views.follows = False
    await ada.places(limit_price="80")

    again = await ada.order(**BASE)

    assert (again.status_code, again.json()["reason"]) == (503, "position-not-reached")
    assert again.headers["Retry-After"] == "1"


@pytest.mark.rule("COMMAND-02")
async def test_an_order_with_a_key_gets_its_first_answer(ada: Person):
    first = await ada.request("POST", "/v2/orders", order(), Idempotency_Key="k")
    await ada.sends("DELETE", "/v2/orders")

    again = await ada.request("POST", "/v2/orders", order(), Idempotency_Key="k")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.json()["status"] == "new"


async def test_an_unknown_order_is_not_found(ada: Person, admin: Person):
    for person, path in (
        (ada, f"/v2/orders/{UUID(int=0)}"),
        (admin, f"/v2/admin/orders/{UUID(int=0)}?reason=news"),
    ):
        response = await person.request("DELETE", path)
        assert (response.status_code, response.json()["reason"]) == (404, "not-found")
    changed = await ada.request("PATCH", f"/v2/orders/{UUID(int=0)}", {"qty": 5})
    assert changed.status_code == 404


async def test_somebody_elses_order_is_not_found(ada: Person, bob: Person):
    theirs = await bob.places(limit_price="90")

    canceled = await ada.request("DELETE", f"/v2/orders/{theirs['id']}")

    assert canceled.status_code == 404

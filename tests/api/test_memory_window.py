"""docs/rules/memory.md: orders that the writer forgot are still found by clients."""

from typing import Any

import pytest

from tests.support.people import Person

PATH = "/v2/admin/memory-window"
LIMITS: dict[str, Any] = {"count_max": 1, "age_seconds_max": 3600, "own_max": 0}


async def finish(person: Person, client_order_id: str) -> str:
    """Place an order, cancel it, and return its id."""
    order = await person.places(client_order_id=client_order_id, limit_price="90")
    await person.sends("DELETE", f"/v2/orders/{order['id']}")
    return str(order["id"])


@pytest.mark.rule("MEMORY-02")
async def test_the_window_is_seven_days_or_two_million_at_first(admin: Person):
    window = await admin.gets(PATH)

    assert window == {
        "count_max": 2_000_000,
        "age_seconds_max": 604_800,
        "own_max": 1_000,
    }


@pytest.mark.rule("MEMORY-04")
async def test_an_admin_changes_the_limits_that_the_body_names(admin: Person):
    changed = await admin.sends("PATCH", PATH, {"count_max": 5})

    assert (changed["count_max"], changed["own_max"]) == (5, 1_000)
    assert await admin.gets(PATH) == changed


async def test_a_repeated_change_shows_the_window_as_it_is_by_then(admin: Person):
    await admin.sends("PATCH", PATH, {"count_max": 5}, Idempotency_Key="window")
    await admin.sends("PATCH", PATH, {"count_max": 7})

    again = await admin.request(
        "PATCH", PATH, {"count_max": 5}, Idempotency_Key="window"
    )

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["count_max"] == 7


async def test_only_an_admin_sees_or_changes_the_window(ada: Person):
    assert (await ada.request("GET", PATH)).status_code == 403
    assert (await ada.request("PATCH", PATH, LIMITS)).status_code == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [("count_max", 0), ("age_seconds_max", 59), ("own_max", 10_001), ("weeks", 1)],
)
async def test_a_limit_out_of_bounds_is_refused(admin: Person, name: str, value: int):
    refused = await admin.request("PATCH", PATH, {name: value})

    assert refused.status_code == 422
    assert name in refused.json()["message"]


@pytest.mark.rule("MEMORY-06")
async def test_a_forgotten_order_is_finished_for_who_cancels_or_replaces_it(
    ada: Person, bob: Person, admin: Person
):
    await admin.sends("PATCH", PATH, LIMITS)
    first = await finish(ada, "first")
    await finish(ada, "second")

    canceled = await ada.request("DELETE", f"/v2/orders/{first}")
    replaced = await ada.request("PATCH", f"/v2/orders/{first}", {"qty": "5"})
    by_other = await bob.request("DELETE", f"/v2/orders/{first}")

    assert (canceled.status_code, replaced.status_code) == (422, 422)
    assert canceled.json()["message"] == 'order is already in "canceled" state'
    assert replaced.json()["message"] == canceled.json()["message"]
    assert by_other.status_code == 404
    assert (await ada.gets(f"/v2/orders/{first}"))["status"] == "canceled"


@pytest.mark.rule("MEMORY-05")
async def test_a_client_order_id_that_was_forgotten_names_the_newest_order(
    ada: Person, admin: Person
):
    await admin.sends("PATCH", PATH, LIMITS)
    first = await finish(ada, "mine")
    await finish(ada, "other")

    again = await ada.order(client_order_id="mine", limit_price="91")

    assert again.status_code == 200
    assert "Idempotent-Replayed" not in again.headers
    assert again.json()["id"] != first
    named = await ada.gets("/v2/orders:by_client_order_id?client_order_id=mine")
    assert named["id"] == again.json()["id"]
    assert named["limit_price"] == "91"

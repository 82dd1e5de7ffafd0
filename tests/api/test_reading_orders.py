"""Queries of orders over HTTP."""

from datetime import datetime, timedelta

import pytest

from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served


async def test_both_doors_return_the_same_order(ada: Person):
    placed = await ada.places(client_order_id="mine")

    assert await ada.gets(f"/v2/orders/{placed['id']}") == placed
    path = "/v2/orders:by_client_order_id?client_order_id=mine"
    assert await ada.gets(path) == placed


async def test_both_doors_return_the_same_filled_and_rejected_order(
    ada: Person, bob: Person, admin: Person
):
    await ada.places(side="sell", qty=4, limit_price=99.99)
    filled = await bob.places(qty=10, time_in_force="ioc")
    await admin.sends("POST", "/v2/admin/assets/ACME/halt")
    rejected = await bob.places()

    for each in (filled, rejected):
        assert await bob.gets(f"/v2/orders/{each['id']}") == each


async def test_both_doors_return_the_same_replacement(ada: Person, bob: Person):
    placed = await ada.places(side="sell", qty=10)
    await bob.places(qty=3)
    changed = await ada.sends("PATCH", f"/v2/orders/{placed['id']}", {"qty": 8})

    assert changed["filled_qty"] == "3"
    assert await ada.gets(f"/v2/orders/{changed['id']}") == changed
    old = await ada.gets(f"/v2/orders/{placed['id']}")
    assert (old["status"], old["replaced_by"]) == ("replaced", changed["id"])


async def test_the_default_list_is_open_orders_newest_first(ada: Person):
    first = await ada.places(client_order_id="1")
    await ada.places(client_order_id="2")
    await ada.sends("DELETE", f"/v2/orders/{first['id']}")
    await ada.places(client_order_id="3", side="sell", limit_price=120)

    async def listed(query: str) -> list[str]:
        orders = await ada.gets(f"/v2/orders?{query}")
        return [each["client_order_id"] for each in orders]

    assert await listed("") == ["3", "2"]
    assert await listed("status=all&direction=asc") == ["1", "2", "3"]
    assert await listed("status=closed") == ["1"]
    assert await listed("status=canceled&symbols=ACME,XYZ") == ["1"]
    assert await listed("status=new&side=sell") == ["3"]
    assert await listed("status=all&limit=1") == ["3"]
    assert await listed("status=held") == []
    assert await listed("symbols=XYZ") == []
    assert await listed("asset_class=crypto") == []


async def test_orders_are_listed_between_two_exclusive_times(ada: Person):
    placed = [await ada.places(client_order_id=str(number)) for number in range(3)]
    first, _, last = (each["submitted_at"] for each in placed)

    between = await ada.gets(f"/v2/orders?after={first}&until={last}")

    assert [each["client_order_id"] for each in between] == ["1"]


async def test_a_listing_is_bounded_by_times_and_by_a_log_position(
    server: Served, ada: Person
):
    placed = await ada.places()
    head = server.log.reader.head()

    path = f"/v2/orders?after=2020-01-01&after_position={head}"
    response = await ada.request("GET", path)

    assert [each["id"] for each in response.json()] == [placed["id"]]
    assert int(response.headers["Bourse-Log-Position"]) == head


@pytest.mark.parametrize("spelled", ["seconds", "milliseconds", "date", "day"])
async def test_a_time_may_be_a_number_or_a_date(ada: Person, spelled: str):
    placed = await ada.places()
    at = datetime.fromisoformat(placed["submitted_at"])
    before, later = at - timedelta(days=1), at + timedelta(days=2)

    def words(time: datetime) -> str:
        seconds = int(time.timestamp())
        return {
            "seconds": str(seconds),
            "milliseconds": str(1000 * seconds),
            "date": time.strftime("%Y-%m-%d"),
            "day": time.strftime("%Y%m%d"),
        }[spelled]

    for query, expected in (
        (f"after={words(before)}&until={words(later)}", [placed["id"]]),
        (f"after={words(later)}", []),
        (f"until={words(before)}", []),
    ):
        shown = await ada.gets(f"/v2/orders?{query}")
        assert [each["id"] for each in shown] == expected, query


async def test_a_log_position_beyond_the_log_is_refused_at_once(
    server: Served, ada: Person
):
    beyond = server.log.reader.head() + 1

    for path in (
        f"/v2/orders?after_position={beyond}",
        f"/v2/account?after_position={beyond}",
        f"/v2/account?after={beyond}",
        f"/v2/books/ACME?after_position={beyond}",
        f"/v2/books/ACME?after={beyond}",
        f"/v2/wallet/transactions?after_position={beyond}",
    ):
        response = await ada.request("GET", path)
        assert (response.status_code, response.json()["code"]) == (422, 40010001), path
        assert f"the head of the log, {beyond - 1}" in response.json()["message"]


async def test_a_fill_has_a_price_a_fee_and_a_liquidity(
    ada: Person, bob: Person, admin: Person
):
    terms = {"maker_fee_bps": 1, "taker_fee_bps": 10}
    await admin.sends("PATCH", "/v2/admin/assets/ACME", terms)
    maker = await ada.places(side="sell", qty=4)
    taker = await bob.places(qty=4)

    (maker_fill,) = await ada.gets(f"/v2/orders/{maker['id']}/fills")
    (taker_fill,) = await bob.gets(f"/v2/orders/{taker['id']}/fills")

    assert (maker_fill["price"], maker_fill["qty"], maker_fill["fee"]) == (
        "100",
        "4",
        "0.04",
    )
    assert (maker_fill["liquidity"], taker_fill["liquidity"]) == ("maker", "taker")
    assert taker_fill["fee"] == "0.4"
    assert maker_fill["trade_id"] == taker_fill["trade_id"]


@pytest.mark.rule("VIEW-20")
async def test_a_page_of_fills_names_the_next_one(ada: Person, bob: Person):
    maker = await ada.places(side="sell", qty=3)
    for _ in range(3):
        await bob.places(qty=1)
    path = f"/v2/orders/{maker['id']}/fills"
    every = await ada.gets(path)

    first = await ada.request("GET", f"{path}?limit=2")

    assert first.json() == every[:2]
    token = first.headers["Bourse-Next-Page"]
    rest = await ada.request("GET", f"{path}?limit=2&page_token={token}")
    assert rest.json() == every[2:]
    assert "Bourse-Next-Page" not in rest.headers


async def test_somebody_elses_order_is_not_found(ada: Person, bob: Person):
    placed = await ada.places(client_order_id="mine")

    for path in (
        f"/v2/orders/{placed['id']}",
        f"/v2/orders/{placed['id']}/fills",
        "/v2/orders:by_client_order_id?client_order_id=mine",
    ):
        response = await bob.request("GET", path)
        assert response.status_code == 404
        assert response.json()["code"] == 40410000


async def test_a_query_fails_if_its_log_position_is_not_reached(
    server: Served, ada: Person
):
    server.views.follows = False
    placed = await ada.order()
    position = placed.headers["Bourse-Log-Position"]

    response = await ada.request("GET", f"/v2/orders?after_position={position}")

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.json()["code"] == 50310000
    assert response.json()["reason"] == "position-not-reached"


async def test_a_view_that_is_being_filled_is_unavailable(server: Served, ada: Person):
    server.views.follows = False
    server.views.flush()

    response = await ada.request("GET", "/v2/orders")

    assert response.status_code == 503
    assert response.json()["reason"] == "view-unavailable"


async def test_a_query_waits_briefly_for_its_callers_latest_command(
    server: Served, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    placed = await ada.request("POST", "/v2/orders", order())
    latest = int(placed.headers["Bourse-Log-Position"])
    waited: list[int] = []

    async def never_reach(position: int, _names: object, _seconds: float) -> bool:
        waited.append(position)
        return False

    monkeypatch.setattr(server.views, "reach", never_reach)
    unnamed = await ada.request("GET", "/v2/orders")
    named = await ada.request("GET", f"/v2/orders?after_position={latest - 1}")

    # Without a log position the query reads anyway; with one it fails.
    assert (unnamed.status_code, named.status_code) == (200, 503)
    assert (waited[0], waited[-1]) == (latest, latest - 1)

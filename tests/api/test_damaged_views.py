"""A query that meets a damaged row: 503, and the view is filled from the log again."""

from collections.abc import Iterator
from typing import cast

import httpx
import pytest
from redis import Redis

from projections.market import depth, instruments
from projections.orders import orders
from projections.store import ViewUnavailable
from tests.support.calls import Call, place
from tests.support.people import Person
from tests.support.served import Served
from tests.support.server_process import ServerProcess, wait_until

LIST = Call("GET", "/v2/orders?status=all&limit=500")
pytestmark = pytest.mark.rule("VIEW-04")


async def test_a_damaged_row_is_answered_as_a_view_that_is_not_there(
    server: Served, ada: Person
):
    await ada.places()
    server.views.damage(orders.VIEW, orders.RECORDS)

    response = await ada.request("GET", "/v2/orders")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    body = response.json()
    assert (body["reason"], body["view"]) == ("view-damaged", "orders")
    assert "retry the query" in body["message"]
    with pytest.raises(ViewUnavailable):
        await server.views.read(orders.VIEW, [])
    assert (await ada.request("GET", "/v2/account")).status_code == 200


async def test_a_damaged_book_is_answered_as_a_view_that_is_not_there(
    server: Served, ada: Person
):
    server.views.damage(depth.VIEW, depth.STANDINGS)

    response = await ada.request("GET", "/v2/books/ACME")

    assert response.status_code == 503
    assert response.json()["reason"] == "view-damaged"
    with pytest.raises(ViewUnavailable):
        await server.views.read(depth.VIEW, [])


async def test_an_order_sent_again_meets_the_damaged_row_of_the_first(
    server: Served, ada: Person
):
    await ada.places(client_order_id="once")
    server.views.damage(orders.VIEW, orders.RECORDS)

    response = await ada.order(client_order_id="once")

    assert response.status_code == 503
    assert response.json()["reason"] == "view-damaged"


async def test_a_view_that_was_filled_again_is_not_retired_at_once(
    server: Served, ada: Person
):
    server.views.damage(instruments.VIEW, instruments.LISTINGS)
    await ada.request("GET", "/v2/assets")
    server.views.restore(instruments.VIEW)

    response = await ada.request("GET", "/v2/assets")

    assert response.status_code == 503
    await server.views.read(instruments.VIEW, [])


@pytest.fixture
def redis(redis_server_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_server_url) as client:
        yield client


def test_a_real_server_answers_503_until_the_view_is_whole_again(
    real_server: ServerProcess, redis: Redis
):
    demo = real_server.demo
    token = real_server.token(demo["traders"][0])
    placed = real_server.ask(place(qty=1), token)
    assert placed.status_code == 200, placed.text
    real_server.wait_caught_up()
    generation = cast(bytes, redis.hget("bourse:alias", "orders")).decode()
    records = f"bourse:orders:{generation}:records"
    for key in cast(list[bytes], redis.hkeys(records)):
        redis.hset(records, key.decode(), "not a row")

    answers: list[httpx.Response] = []

    def is_whole() -> bool:
        answers.append(real_server.ask(LIST, token))
        return answers[-1].status_code == 200

    wait_until("the orders are listed again", is_whole, 60)
    assert answers[0].json()["reason"] == "view-damaged"
    assert {each.status_code for each in answers[:-1]} == {503}
    assert placed.json()["id"] in [each["id"] for each in answers[-1].json()]
    assert redis.hget("bourse:alias", "orders") != generation.encode()

"""Bare routes behave like all other routes."""

import msgspec
import pytest

from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served


@pytest.mark.parametrize("path", ["/v2/orders", "//v2/orders", "/v2/orders/"])
async def test_an_order_reaches_its_route_with_every_spelling_of_the_path(
    ada: Person, path: str
):
    response = await ada.request("POST", f"http://bourse.test{path}", order())

    assert (response.status_code, response.json()["status"]) == (200, "new")


async def test_other_methods_of_a_bare_path_are_ordinary(ada: Person):
    placed = await ada.places()

    assert [each["id"] for each in await ada.gets("/v2/orders")] == [placed["id"]]
    put = await ada.request("PUT", "/v2/orders")
    assert {"GET", "POST", "DELETE"} <= set(put.headers["Allow"].split(", "))


async def test_the_openapi_document_lists_bare_routes(ada: Person):
    paths = (await ada.gets("/schema/openapi.json"))["paths"]

    for path, method in (
        ("/v2/orders", "post"),
        ("/v2/orders:batch", "post"),
        ("/v2/books/{symbol}", "get"),
    ):
        operation = paths[path][method]
        assert operation["description"]
        assert {"422", "503"} <= operation["responses"].keys()


async def test_an_order_is_not_placed_if_its_client_hangs_up_early(
    server: Served, ada: Person
):
    head = server.log.reader.head()

    await server.hung_up("/v2/orders", msgspec.json.encode(order()), ada.token)

    assert server.log.reader.head() == head

"""The hot routes are routes like all others, but for the way to them."""

import msgspec
import pytest

from tests.support.served import Person, Served, order


@pytest.mark.parametrize("path", ["/v2/orders", "//v2/orders", "/v2/orders/"])
async def test_an_order_finds_its_route_however_the_path_is_written(
    ada: Person, path: str
):
    response = await ada.request("POST", f"http://bourse.test{path}", order())

    assert (response.status_code, response.json()["status"]) == (200, "new")


async def test_other_methods_of_a_hot_path_are_ordinary(ada: Person):
    placed = await ada.places()

    assert [each["id"] for each in await ada.gets("/v2/orders")] == [placed["id"]]
    put = await ada.request("PUT", "/v2/orders")
    assert {"GET", "POST", "DELETE"} <= set(put.headers["Allow"].split(", "))


async def test_hot_routes_stand_in_the_openapi_document(ada: Person):
    paths = (await ada.gets("/schema/openapi.json"))["paths"]

    for path, method in (
        ("/v2/orders", "post"),
        ("/v2/orders:batch", "post"),
        ("/v2/books/{symbol}", "get"),
    ):
        operation = paths[path][method]
        assert operation["description"]
        assert {"422", "503"} <= operation["responses"].keys()


async def test_an_order_whose_sender_hung_up_before_its_end_is_not_placed(
    server: Served, ada: Person
):
    head = server.log.reader.head()

    await server.hung_up("/v2/orders", msgspec.json.encode(order()), ada.token)

    assert server.log.reader.head() == head

"""Sentences about input that does not fit speak of the field and the form."""

import pytest

from tests.support import calls
from tests.support.served import Served

LISTING = calls.list_asset("NEW").body
SYMBOL_FORM = "symbol: expected 1 to 12 characters: A to Z, 0 to 9, dot and hyphen"
NO_UTF8 = "the request body is not valid UTF-8, which JSON requires"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/v2/orders", [], "the body: expected an object, got a list"),
        ("POST", "/v2/orders", 1, "the body: expected an object, got a whole number"),
        (
            "POST",
            "/v2/orders",
            {"symbol": 1},
            "symbol: expected text, got a whole number",
        ),
        (
            "POST",
            "/v2/orders:batch",
            {"orders": {}},
            "orders: expected a list, got an object",
        ),
        (
            "PATCH",
            "/v2/account/configurations",
            {"suspend_trade": "x"},
            "suspend_trade: expected true or false, got text",
        ),
        ("POST", "/auth/login", {"email": "a"}, "password is required"),
        (
            "POST",
            "/v2/orders",
            calls.order(client_order_id=""),
            "client_order_id: expected text of at least 1 character",
        ),
        ("POST", "/v2/admin/assets", {**LISTING, "symbol": "a b"}, SYMBOL_FORM),
        (
            "PATCH",
            "/v2/admin/memory-window",
            {"count_max": 0},
            "count_max: expected a whole number of at least 1",
        ),
        (
            "POST",
            "/v2/admin/assets",
            {**LISTING, "name": "x" * 201},
            "name: expected text of at most 200 characters",
        ),
        (
            "GET",
            "/v2/orders?limit=0",
            None,
            "limit: expected a whole number of at least 1",
        ),
        ("GET", "/v2/orders?limit=x", None, "limit: expected a whole number"),
        ("GET", "/v2/orders?nested=x", None, "nested: expected true or false"),
        ("GET", "/v2/orders?side=x", None, "side must be buy or sell"),
        ("GET", "/v2/orders:by_client_order_id", None, "client_order_id is required"),
        ("DELETE", "/v2/positions/ACME?qty=x", None, "qty: expected a number"),
        (
            "POST",
            "/auth/login",
            {"email": "a", "password": "b", "x": 1},
            "x is not a field of this request",
        ),
    ],
)
async def test_what_does_not_fit_is_named_with_the_form_that_would(
    server: Served, method: str, path: str, body: object, message: str
):
    admin = await server.person(admin=True)

    response = await admin.request(method, path, body)

    assert response.status_code == 422
    assert response.json()["message"] == message


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (
            "/auth/login",
            b'{"email": "a", "password": "b", "email": "c"}',
            422,
            "email is in the request body twice",
        ),
        ("/auth/login", b'{"email": "\xff"}', 400, NO_UTF8),
        ("/v2/orders", b'{"\xff": 1}', 400, NO_UTF8),
        (
            "/v2/admin/memory-window",
            b'{"count_max": 1e999}',
            422,
            "count_max: the number is too large",
        ),
    ],
)
async def test_bytes_that_no_client_should_send_are_described(
    server: Served, path: str, body: bytes, status: int, message: str
):
    admin = await server.person(admin=True)
    method = "PATCH" if "window" in path else "POST"

    response = await admin.client.request(
        method, path, content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["message"]) == (status, message)

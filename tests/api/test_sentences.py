"""Sentences about a body that does not fit speak of the field and the form."""

import pytest

from tests.support.people import Person


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
            "/auth/login",
            {"email": "a", "password": "b", "x": 1},
            "x is not a field of this request",
        ),
    ],
)
async def test_a_body_that_does_not_fit_names_the_field_and_the_form(
    ada: Person, method: str, path: str, body: object, message: str
):
    response = await ada.request(method, path, body)

    assert response.status_code == 422
    assert response.json()["message"] == message

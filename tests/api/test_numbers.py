"""Every number that comes in is exact, and bounded before anybody computes with it."""

from decimal import MAX_EMAX, MAX_PREC, Context

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.http.numbers import TEXT_MAX, Number, number
from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=-MAX_EMAX)
TEXTS = some.from_regex(
    r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e-?[0-9]{1,7})?", fullmatch=True
)
OUT_OF_BOUNDS = (
    "1e9999999",
    "-1e9999999",
    "1e-9999999",
    "1e999999999",
    "9" * 5_000,
    "0.1" * 50,
)


@given(one=TEXTS, other=TEXTS)
def test_equal_numbers_have_equal_texts_and_others_do_not(one: str, other: str):
    first, second = number(one), number(other)

    same = EXACT.compare(first, second) == 0
    assert (repr(first) == repr(second)) is same or first.is_zero()
    assert repr(first) == repr(Number(str(first)))


def test_a_text_longer_than_any_number_is_refused():
    assert number("1" * TEXT_MAX)
    for value in ("1" * (TEXT_MAX + 1), 10**TEXT_MAX, -(10**TEXT_MAX)):
        with pytest.raises(ValueError, match="a number"):
            number(value)


@pytest.mark.parametrize("number", OUT_OF_BOUNDS)
async def test_a_number_out_of_all_bounds_is_refused_wherever_it_comes_in(
    server: Served, ada: Person, number: str
):
    admin = await server.person(admin=True)
    account = f"/v2/admin/accounts/{ada.account_id}"
    grant = {"symbol": "ACME", "qty": 1, "price": 1}
    requests: list[tuple[Person, str, str, object]] = [
        (ada, "DELETE", f"/v2/positions/ACME?qty={number}", None),
        (ada, "DELETE", f"/v2/positions/ACME?percentage={number}", None),
        (ada, "POST", "/v2/orders", order(qty=number)),
        (ada, "POST", "/v2/orders", order(limit_price=number)),
        (ada, "POST", "/v2/orders", order(stop_price=number)),
        (admin, "POST", f"{account}/deposits", {"amount": number}),
        (admin, "POST", f"{account}/shares", grant | {"qty": number}),
        (admin, "POST", f"{account}/shares", grant | {"price": number}),
        (admin, "PATCH", "/v2/admin/assets/ACME", {"tick_size": number}),
        (admin, "PATCH", "/v2/admin/assets/ACME", {"price_band": number}),
    ]
    for person, method, path, body in requests:
        response = await person.request(method, path, body, Idempotency_Key=path)
        assert response.status_code == 422, (path, body, response.text)

"""Bad input gets a clear sentence, a stable code and the right status, and no event."""

from uuid import UUID

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.support.calls import order
from tests.support.people import Person
from tests.support.served import Served

HUGE = "1e400"


@pytest.mark.parametrize(
    ("terms", "status", "code"),
    [
        ({"symbol": "NONE"}, 422, 42210000),
        ({"symbol": ""}, 422, 42210000),
        ({"symbol": 7}, 422, 40010001),
        ({"symbol": None}, 422, 40010001),
        ({"qty": 0}, 422, 40010001),
        ({"qty": -1}, 422, 40010001),
        ({"qty": 1.5}, 422, 42210000),
        ({"qty": "1e400"}, 422, 42210000),
        ({"qty": "1e-400"}, 422, 42210000),
        ({"qty": "1e999999999"}, 422, 42210000),
        ({"qty": 10**12}, 422, 42210000),
        ({"qty": "ten"}, 422, 40010001),
        ({"qty": "NaN"}, 422, 40010001),
        ({"qty": "Infinity"}, 422, 40010001),
        ({"qty": "1_0"}, 422, 40010001),
        ({"qty": " 10 "}, 422, 40010001),
        ({"qty": "\u0661\u0660"}, 422, 40010001),
        ({"qty": "10\n"}, 422, 40010001),
        ({"qty": "1e" + "9" * 30}, 422, 40010001),
        ({"limit_price": "1_0.5"}, 422, 40010001),
        ({"qty": True}, 422, 40010001),
        ({"qty": None}, 422, 40010001),
        ({"limit_price": 0}, 422, 40010001),
        ({"limit_price": -1}, 422, 40010001),
        ({"limit_price": "100.001"}, 422, 42210000),
        ({"limit_price": "100.00001"}, 422, 40010001),
        ({"limit_price": "1." + "0" * 40 + "1"}, 422, 40010001),
        ({"limit_price": "1e400"}, 422, 42210000),
        ({"limit_price": "1e-999999999"}, 422, 40010001),
        ({"limit_price": "-1e999999999"}, 422, 42210000),
        ({"limit_price": "99999999", "qty": 10**9}, 422, 42210000),
        ({"limit_price": None}, 422, 40010001),
        ({"limit_price": []}, 422, 40010001),
        ({"type": "market"}, 422, 40010001),
        ({"type": "stop"}, 422, 42210000),
        ({"type": "trailing_stop"}, 422, 42210000),
        ({"type": "odd"}, 422, 40010001),
        ({"side": "hold"}, 422, 40010001),
        ({"time_in_force": "opg"}, 422, 42210000),
        ({"time_in_force": "soon"}, 422, 40010001),
        ({"notional": 100, "qty": None}, 422, 42210000),
        ({"stop_price": 90}, 422, 42210000),
        ({"trail_percent": 1}, 422, 42210000),
        ({"order_class": "bracket"}, 422, 42210000),
        ({"extended_hours": True}, 422, 42210000),
        ({"take_profit": {"limit_price": 1}}, 422, 42210000),
        ({"legs": []}, 422, 42210000),
        ({"position_intent": "sell_to_open"}, 422, 42210000),
        ({"client_order_id": ""}, 422, 40010001),
        ({"client_order_id": "x" * 129}, 422, 40010001),
        ({"client_order_id": "a\0b"}, 422, 40010001),
        ({"self_trade_prevention": "none"}, 422, 40010001),
        ({"colour": "red"}, 422, 40010001),
        ({"qty": 10**6, "limit_price": 100}, 403, 40310000),
        ({"side": "sell", "qty": 10_001}, 403, 40310000),
    ],
    ids=str,
)
async def test_an_invalid_order_is_refused_and_leaves_no_trace(
    server: Served, ada: Person, terms: dict[str, object], status: int, code: int
):
    head = server.log.reader.head()

    response = await ada.order(**terms)

    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert len(body["message"]) > 10
    assert body["reason"]
    assert server.log.reader.head() == head
    assert (await ada.gets("/v2/wallet"))["held"] == "0"


async def test_an_unsupported_field_is_refused_as_not_supported_yet(ada: Person):
    response = await ada.order(type="stop_limit", stop_price=90)

    assert response.json()["message"] == (
        "orders of type stop_limit are not supported yet"
    )


async def test_unsupported_fields_with_default_values_are_accepted(ada: Person):
    placed = await ada.places(
        order_class="simple", extended_hours=False, position_intent="buy_to_open"
    )

    assert placed["status"] == "new"


async def test_a_lack_of_cash_reports_the_buying_power_and_the_cost(ada: Person):
    body = (await ada.order(qty=10**6)).json()

    assert (body["buying_power"], body["cost_basis"]) == ("1000000", "100000000")


async def test_a_lack_of_shares_reports_the_quantity_and_the_held_part(ada: Person):
    await ada.places(side="sell", qty=9_999, limit_price=150)

    body = (await ada.order(side="sell", qty=2)).json()

    assert (body["available"], body["existing_qty"], body["held_for_orders"]) == (
        "1",
        "10000",
        "9999",
    )


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"\xff":1}'])
@pytest.mark.parametrize("path", ["/v2/orders", "/v2/orders:batch", "/auth/login"])
async def test_a_body_that_is_not_json_is_malformed(
    ada: Person, path: str, body: bytes
):
    response = await ada.client.post(
        path, content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, 40010000)
    assert "not valid" in response.json()["message"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1"])
@pytest.mark.parametrize("path", ["/v2/orders", "/v2/orders:batch", "/auth/login"])
async def test_json_of_the_wrong_shape_is_a_bad_parameter(
    ada: Person, path: str, body: bytes
):
    response = await ada.client.post(
        path, content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (422, 40010001)


@pytest.mark.parametrize("path", ["/v2/orders", "/v2/orders:batch", "/auth/login"])
async def test_a_body_of_ten_megabytes_is_too_large(ada: Person, path: str):
    body = b'{"symbol":"' + b"A" * 10_000_000 + b'"}'

    async def in_pieces():
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Content-Type": "application/json"}
    for content in (body, in_pieces()):
        response = await ada.client.post(path, content=content, headers=headers)
        assert response.status_code == 413
        assert response.json() == {
            "code": 41310000,
            "message": "the request body is larger than 1048576 bytes",
            "reason": "body-too-large",
            "limit": 1048576,
        }


@pytest.mark.parametrize("path", ["/v2/orders", "/v2/orders:batch", "/auth/login"])
async def test_a_body_must_be_sent_as_json(ada: Person, path: str):
    response = await ada.client.post(path, data={"symbol": "ACME"})

    assert (response.status_code, response.json()["code"]) == (415, 41510000)


async def test_a_media_type_may_name_its_character_set(ada: Person):
    response = await ada.client.post(
        "/v2/orders",
        json=order(),
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/nothing", 404, 40410000),
        ("GET", "/none", 404, 40410000),
        ("PUT", "/v2/orders", 405, 40510000),
        ("POST", "/v2/books/ACME", 405, 40510000),
        ("GET", "/v2/orders:batch", 405, 40510000),
        ("GET", "/v2/orders?limit=0", 422, 40010001),
        ("GET", "/v2/orders?limit=x", 422, 40010001),
        ("GET", "/v2/orders?status=odd", 422, 40010001),
        ("GET", "/v2/orders?after=yesterday", 422, 40010001),
        ("GET", "/v2/orders?until=12345678901234567890", 422, 40010001),
        ("GET", "/v2/orders?after_order_id=x", 422, 42210000),
        ("GET", f"/v2/orders?symbols={','.join(map(str, range(101)))}", 422, 40010001),
        ("GET", "/v2/account?after=-1", 422, 40010001),
        ("GET", "/v2/account?after=" + "9" * 19, 422, 40010001),
        ("GET", "/v2/orders:by_client_order_id", 422, 40010001),
        ("GET", "/v2/wallet/transactions?limit=1001", 422, 40010001),
        ("GET", f"/v2/orders/{UUID(int=0)}", 404, 40410000),
        ("DELETE", f"/v2/orders/{UUID(int=0)}", 404, 40410000),
        ("GET", "/v2/orders/none", 422, 40010001),
        ("GET", "/v2/assets/" + "A" * 32 + "-", 422, 40010001),
    ],
)
async def test_every_error_has_the_same_form(
    ada: Person, method: str, path: str, status: int, code: int
):
    response = await ada.request(method, path)

    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert body["message"]
    assert body["reason"]


async def test_a_defect_reveals_no_internals(
    server: Served, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    def broken() -> str:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(server.services.port, "submit", broken)

    bare = await ada.order()
    ordinary = await ada.request("DELETE", "/v2/orders")

    for response in (bare, ordinary):
        assert response.status_code == 500
        assert response.json()["reason"] == "internal"
        assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/v2/orders", "/auth/login"])
async def test_a_client_that_hangs_up_within_a_body_causes_no_server_error(
    server: Served, ada: Person, path: str
):
    with capture_logs() as lines:
        start, _ = await server.hung_up(path, b'{"email":', ada.token)

    assert start["type"] == "http.response.start"
    assert (start["status"], lines) == (400, [])


async def test_a_server_that_does_not_lead_asks_clients_to_retry(
    server: Served, ada: Person
):
    await server.writer.stop()

    placed = await ada.order()
    batch = await ada.request("POST", "/v2/orders:batch", {"orders": [order()]})
    canceled = await ada.request("DELETE", "/v2/orders")
    newcomer = {"email": "n@e.org", "password": "x" * 8, "full_name": "New"}
    registered = await ada.request("POST", "/auth/register", newcomer)

    for response in (placed, batch, canceled, registered):
        assert response.status_code == 503
        assert response.json()["code"] == 50310000
        assert response.headers["Retry-After"]
    assert (await ada.request("GET", "/v2/orders")).status_code == 200


async def test_an_unsafe_request_id_is_ignored(ada: Person):
    response = await ada.request("GET", "/v2/account", X_Request_Id="x y; DROP")

    assert "X-Request-Id" not in response.headers


async def test_every_kind_of_route_returns_the_request_id(ada: Person):
    for path in (
        "/health/ready",
        "/v2/account",
        "/v2/books/ACME",
        "/v2/none",
        "/v2/orders/none",
    ):
        response = await ada.request("GET", path, X_Request_Id="r-1")
        assert response.headers.get_list("X-Request-Id") == ["r-1"]


async def test_an_invalid_number_is_refused_in_every_request(
    server: Served, ada: Person
):
    admin = await server.person(admin=True)
    deposits = f"/v2/admin/accounts/{ada.account_id}/deposits"

    response = await admin.request("POST", deposits, {"amount": "1_000"})

    assert response.status_code == 422
    assert response.json()["message"] == "amount: expected a number"


def order_with(terms: bytes) -> bytes:
    """Return the JSON of an order with these bytes in place of its quantity."""
    return msgspec.json.encode(order(qty=None))[:-1] + b"," + terms + b"}"


@pytest.mark.parametrize(
    "terms",
    [
        b'"q\\u0074y":"1_0"',
        b'"\\u0071ty":" 10"',
        b'"qty":"1\\u005f0"',
        b'"qty":' + b"9" * 5_000,
        b'"qty":1e' + b"9" * 30,
    ],
    ids=lambda terms: terms[:12],
)
async def test_an_invalid_number_is_refused_in_every_spelling(
    ada: Person, terms: bytes
):
    response = await ada.client.post("/v2/orders", content=order_with(terms))

    assert (response.status_code, response.json()["code"]) == (422, 40010001)
    assert response.json()["field"] == "qty"


async def test_every_digit_of_a_number_counts(ada: Person):
    terms = b'"qty":10.' + b"0" * 40 + b"1"

    response = await ada.client.post("/v2/orders", content=order_with(terms))

    assert response.json()["message"] == (
        "fractional quantities (qty) are not supported yet"
    )


async def test_an_invalid_order_does_not_fail_its_batch(ada: Person):
    orders = [order(client_order_id="a\0b"), order(qty="1_0"), order()]

    response = await ada.request("POST", "/v2/orders:batch", {"orders": orders})

    assert [each["status"] for each in response.json()] == [422, 422, 200]


async def test_an_escaped_backslash_before_u0000_is_ordinary_text(ada: Person):
    placed = await ada.places(client_order_id="a\\u0000b")

    assert placed["client_order_id"] == "a\\u0000b"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/orders?stauts=all"),
        ("GET", "/v2/assets?name=Acme"),
        ("GET", "/v2/positions?symbol=ACME"),
        ("DELETE", "/v2/orders?symbol=ACME"),
    ],
)
async def test_an_unknown_parameter_is_refused(ada: Person, method: str, path: str):
    placed = await ada.places()

    response = await ada.request(method, path)

    assert (response.status_code, response.json()["code"]) == (422, 40010001)
    assert response.json()["field"] in path
    assert [each["id"] for each in await ada.gets("/v2/orders")] == [placed["id"]]


async def test_parameters_of_alpacas_clients_are_accepted(ada: Person):
    placed = await ada.places()

    one = await ada.gets(f"/v2/orders/{placed['id']}?nested=True&after=1")
    listed = await ada.gets("/v2/orders?nested=True&symbol=ACME&asset_class=us_equity")
    other = await ada.gets("/v2/orders?symbol=NONE")
    assets = await ada.gets("/v2/assets?attributes=ptp_no_exception")

    assert [one] == listed == [placed]
    assert (other, assets) == ([], [])


async def test_a_refused_word_comes_with_the_words_that_are_valid(ada: Person):
    for field, value, sentence in (
        ("side", "long", "side must be buy or sell"),
        ("type", "iceberg", "type must be market or limit"),
        ("side", 7, "side must be buy or sell"),
    ):
        response = await ada.request("POST", "/v2/orders", order(**{field: value}))
        assert (response.status_code, response.json()["message"]) == (422, sentence)
    for query, sentence in (
        ("status=odd", "status must be accepted, "),
        ("side=long", "side must be buy or sell"),
        ("direction=up", "direction must be asc or desc"),
    ):
        response = await ada.request("GET", f"/v2/orders?{query}")
        assert response.status_code == 422
        assert response.json()["message"].startswith(sentence), response.text

"""The OpenAPI document agrees with the server."""

import re
from typing import Any

import pytest

from api.health import Readiness
from api.http.numbers import Number
from api.wire.amounts import price
from domain.errors import AmountTooLarge
from tests.support.people import Person
from tests.support.served import Served
from tests.support.source import python_files, text_of


@pytest.fixture
async def document(server: Served) -> Any:
    return (await server.client().get("/schema/openapi.json")).json()


async def test_an_amount_has_as_many_digits_in_the_document_as_in_the_server(
    document: Any,
):
    deposit = document["components"]["schemas"]["NewDeposit"]
    (pattern,) = [
        each["pattern"]
        for each in deposit["properties"]["amount"]["oneOf"]
        if "pattern" in each
    ]
    most, more = "9" * 15 + ".9999", "9" * 16

    assert re.search(pattern, most)
    assert price(Number(most), "amount") == 9_999_999_999_999_999_999
    assert not re.search(pattern, more)
    with pytest.raises(AmountTooLarge):
        price(Number(more), "amount")


def header_parameters(operation: Any) -> set[str]:
    parameters = operation.get("parameters", ())
    return {each["name"] for each in parameters if each.get("in") == "header"}


async def test_every_query_may_name_a_log_position(document: Any):
    reference = {"$ref": "#/components/parameters/after_position"}
    naming = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if reference in operation.get("parameters", ())
    }

    queries = {path for path, each in document["paths"].items() if "get" in each}
    assert naming == queries - {"/health/live", "/health/ready"}


async def test_guarded_commands_offer_an_idempotency_key(document: Any):
    offered = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "Idempotency-Key" in header_parameters(operation)
    }

    guarded = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "get" and "security" in operation
    }
    assert offered == guarded
    assert ("post", "/auth/register") not in offered
    registered = document["paths"]["/auth/register"]["post"]["responses"]["201"]
    assert "Idempotent-Replayed" not in registered["headers"]


async def test_the_document_describes_the_keys_that_the_server_accepts(
    document: Any, ada: Person
):
    (schema,) = [
        each["schema"]
        for each in document["paths"]["/v2/orders"]["delete"]["parameters"]
        if each["name"] == "Idempotency-Key"
    ]

    for key in ("!", "~" * 128, "a b", "~" * 129, "a\x7f"):
        response = await ada.request("DELETE", "/v2/orders", Idempotency_Key=key)
        fits = re.search(schema["pattern"], key) and len(key) <= schema["maxLength"]
        assert response.status_code == (207 if fits else 422), key


async def test_every_path_allows_the_methods_in_the_document(
    document: Any, server: Served
):
    client = server.client()

    for path, operations in document["paths"].items():
        methods = {method.upper() for method in operations} | {"OPTIONS"}
        methods |= {"HEAD"} if "GET" in methods else set()
        options = await client.request("OPTIONS", path, headers={"X-Request-Id": "r-1"})
        refused = await client.request("TRACE", path)
        assert (options.status_code, refused.status_code) == (204, 405)
        assert options.headers["X-Request-Id"] == "r-1"
        for response in (options, refused):
            assert set(response.headers["Allow"].split(", ")) == methods, path


async def test_a_server_that_is_not_ready_says_why_in_the_documented_form(
    document: Any, server: Served
):
    server.readiness = Readiness(
        ready=False, role="recovering", dependencies={"redis": "down"}
    )

    response = await server.client().get("/health/ready")

    answers = document["paths"]["/health/ready"]["get"]["responses"]
    for status in ("200", "503"):
        schema = answers[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Readiness"}
    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "role": "recovering",
        "dependencies": {"redis": "down"},
        "lag": {},
        "clock": None,
    }


@pytest.mark.parametrize(
    ("path", "method", "name", "required"),
    [
        ("/v2/admin/orders/{order_id}", "delete", "Cancellation", False),
        ("/v2/admin/assets/{symbol}/halt", "post", "Halt", False),
        ("/v2/admin/assets", "post", "NewAsset", True),
    ],
)
async def test_the_document_describes_bodies_and_says_which_are_required(
    document: Any, path: str, method: str, name: str, required: bool
):
    body = document["paths"][path][method]["requestBody"]

    schema = body["content"]["application/json"]["schema"]
    assert {"$ref": f"#/components/schemas/{name}"} in schema.get("oneOf", [schema])
    assert body["required"] is required


async def test_the_document_is_json_and_its_examples_are_real(
    document: Any, server: Served
):
    response = await server.client().get("/schema/openapi.json")
    problem = document["components"]["schemas"]["Problem"]["properties"]

    assert response.headers["Content-Type"] == "application/json"
    assert problem["code"]["examples"] == [40310000]
    assert problem["reason"]["examples"] == ["insufficient-funds"]


async def test_every_reason_in_the_code_is_in_the_document(document: Any):
    reason = document["components"]["schemas"]["Problem"]["properties"]["reason"]
    described = re.findall("`(.+?)`", reason["description"])

    of_framework = {"bad-request", "internal", "method-not-allowed", "not-found"}
    declared = {
        code
        for module in python_files("api", "commands", "domain")
        for code in re.findall(
            r'^    code(?:: .+)? = "(.+)"$', text_of(module), re.MULTILINE
        )
    }
    assert set(described) == declared | of_framework
    assert described == sorted(described)


async def test_answers_without_a_body_and_pauses_are_in_the_document(document: Any):
    answers = [
        (status, answer)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
    ]

    assert any(status == "204" for status, _ in answers)
    for status, answer in answers:
        assert status != "204" or "content" not in answer
        if status == "503" and "cannot serve" not in answer["description"]:
            assert "Retry-After" in answer["headers"]

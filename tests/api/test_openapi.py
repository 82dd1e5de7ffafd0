"""The OpenAPI document says what the server does."""

import re
from typing import Any

import pytest

from api.amounts import Number, price
from domain.errors import AmountTooLarge
from tests.support.served import Served


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

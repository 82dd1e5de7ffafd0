"""Refusals have a code of their own and a sentence that tells no secret."""

import pytest

from domain.errors import (
    BadCredentials,
    DomainError,
    DuplicateOrder,
    InsufficientFunds,
)


def all_kinds(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    below = [each for child in kind.__subclasses__() for each in all_kinds(child)]
    return [kind, *below] if kind.__module__ == "domain.errors" else below


def test_no_two_refusals_share_a_code():
    codes = [each.code for each in all_kinds()]

    assert len(codes) == len(set(codes))


def test_the_tree_in_the_docstring_names_every_refusal():
    drawn = InsufficientFunds.__module__
    text = __import__(drawn, fromlist=["__doc__"]).__doc__

    assert [each.__name__ for each in all_kinds() if each.__name__ not in text] == []


def test_a_refusal_says_its_facts():
    refusal = InsufficientFunds(available=15_000, required=20_000)

    assert str(refusal) == refusal.sentence
    assert refusal.facts == {"buying_power": "1.5", "cost_basis": "2"}
    assert "available: 1.5, required: 2" in refusal.sentence


@pytest.mark.rule("ORDER-09")
def test_a_duplicate_order_names_the_client_order_id():
    refusal = DuplicateOrder(client_order_id="my order")

    assert refusal.facts == {"client_order_id": "my order"}
    assert refusal.sentence == "client_order_id must be unique"


def test_wrong_credentials_do_not_say_which():
    assert "address or the password" in BadCredentials().sentence

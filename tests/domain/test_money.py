"""Amounts are integers: what can be read as one, and how it is written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, Price, dollars, dollars_a_share, fee, fee_ceiling, text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("10.02", 100_200),
        ("10", 100_000),
        (10, 100_000),
        (Decimal("0.0001"), 1),
        ("1e3", 10_000_000),
        ("10.02000", 100_200),
        ("-1.5", -15_000),
    ],
)
def test_an_exact_amount_is_read(given: str | int | Decimal, expected: int):
    assert dollars(given) == expected
    assert dollars_a_share(given) == expected


@pytest.mark.parametrize(
    "given",
    ["", "ten", "NaN", "Infinity", "-Infinity", "0.00001", "1" + "0" * 99 + "e"],
)
def test_what_is_no_exact_amount_is_not_read(given: str):
    with pytest.raises(ValueError, match=r"is not an amount|more than four decimals"):
        dollars(given)


@given(st.integers(-(10**18), 10**18))
def test_an_amount_is_written_as_it_is_read(amount: int):
    assert dollars(text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, "0"), (1, "0.0001"), (-15_000, "-1.5"), (100_200, "10.02"), (10_000, "1")],
)
def test_an_amount_is_written_without_trailing_zeros(amount: int, expected: str):
    assert text(amount) == expected


@pytest.mark.rule("FEE-02")
@given(st.integers(0, 10**17), st.integers(0, 10_000))
def test_a_fee_is_less_than_half_a_unit_from_exact(amount: Money, basis_points: int):
    rounded = fee(amount, basis_points=basis_points)

    assert abs(rounded * 10_000 - amount * basis_points) <= 5_000
    assert 0 <= rounded <= amount


@pytest.mark.rule("FEE-03")
@given(st.integers(1, 10**11), st.integers(0, 10_000))
def test_the_ceiling_of_a_fee_is_the_next_whole_unit(price: Price, basis_points: int):
    ceiling = fee_ceiling(price, basis_points=basis_points)

    assert 0 <= ceiling * 10_000 - price * basis_points < 10_000

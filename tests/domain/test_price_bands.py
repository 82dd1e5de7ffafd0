"""docs/rules/markets.md: the arithmetic of price bands and collars."""

from typing import Any

import pytest

from benchmarks.opening import listing


@pytest.mark.rule("BAND-01")
@pytest.mark.parametrize(
    ("terms", "limits"),
    [
        ({"price_band": 500}, (95_000, 105_000)),
        # 5 % of 10.01 is 0.5005, so the exact limits lie between two ticks.
        ({"price_band": 500, "reference_price": "10.01"}, (95_100, 105_100)),
        ({"price_band": 1}, (100_000, 100_000)),
        ({"price_band": 9_999, "reference_price": "0.01"}, (100, 100)),
    ],
)
def test_the_bands_limits_are_on_the_tick_and_within_its_part(
    terms: dict[str, Any], limits: tuple[int, int]
):
    assert listing(**terms).band() == limits


@pytest.mark.rule("MATCH-09")
@pytest.mark.parametrize(
    ("best_ask", "terms", "worst"),
    [
        (100_000, {}, 105_000),
        # Exactly half a tick goes to the even one: 10.5 and 31.5 ticks of 0.01.
        (1_000, {}, 1_000),
        (3_000, {}, 3_200),
        (1_100, {}, 1_200),
        (100, {}, 100),
        (100_000, {"collar": 0}, 100_000),
        (100_000, {"collar": 100}, 101_000),
        (100_000, {"price_band": 200}, 102_000),
    ],
)
def test_the_collar_is_rounded_half_even_to_the_tick(
    best_ask: int, terms: dict[str, Any], worst: int
):
    assert listing(**terms).collared(best_ask) == worst

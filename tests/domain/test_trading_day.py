"""docs/rules/markets.md: which day a moment belongs to, and when the next begins."""

from zoneinfo import ZoneInfo

import pytest

from domain.market.trading_day import next_roll, session_date

HOUR = 3_600_000_000
#: 2026-01-01 23:00 UTC.
LATE = 1_767_308_400_000_000
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("UTC", "2026-01-01"),
        ("Asia/Tokyo", "2026-01-02"),
        ("America/New_York", "2026-01-01"),
    ],
)
def test_the_session_is_that_of_the_market_s_time_zone(zone: str, date: str):
    assert session_date(LATE, ZoneInfo(zone)) == date


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 1), ("Asia/Tokyo", 16), ("America/New_York", 6)]
)
def test_the_next_session_begins_at_its_midnight(zone: str, hours: int):
    assert next_roll(LATE, ZoneInfo(zone)) == LATE + hours * HOUR


def test_a_day_on_which_the_clocks_go_forward_has_23_hours():
    # 2026-03-08 00:00 in New York, two hours before they do.
    midnight = 1_772_946_000_000_000

    assert next_roll(midnight - 1_000_000, NEW_YORK) == midnight
    assert next_roll(midnight, NEW_YORK) == midnight + 23 * HOUR

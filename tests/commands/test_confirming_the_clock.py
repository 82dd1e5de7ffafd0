"""A confirmed step of the system's clock is a fact (docs/rules/markets.md)."""

import pytest

from commands.messages import ConfirmClock
from commands.writer.recovery import newest_time
from domain.errors import UnknownClockStep
from domain.events.clock import ClockConfirmed
from infra.runtime.clock import SystemClock
from tests.support.facts import log_of
from tests.support.venue import Venue

TEN_DAYS, MINUTE = 864_000_000_000, 60_000_000


@pytest.mark.rule("DAY-04")
@pytest.mark.parametrize("since", [0, MINUTE, -MINUTE])
def test_a_confirmation_records_the_step_that_was_shown(since: int):
    venue = Venue()

    venue.tell(ConfirmClock(venue.meta(), TEN_DAYS, TEN_DAYS + since))

    (confirmed,) = [each.event for each in venue.facts if each.stream == "clock-log"]
    assert confirmed == ClockConfirmed(confirmed.meta, TEN_DAYS)


@pytest.mark.rule("DAY-04")
@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (None, "the clock agrees with the venue's time"),
        (TEN_DAYS + MINUTE + 1, "the clock shows 864060 s"),
        (-TEN_DAYS, "the clock shows -864000 s"),
    ],
)
def test_a_step_that_the_clock_does_not_show_is_refused(
    step: int | None, sentence: str
):
    venue = Venue()
    before = len(venue.facts)

    with pytest.raises(UnknownClockStep, match=sentence) as refused:
        venue.tell(ConfirmClock(venue.meta(), TEN_DAYS, step))

    assert refused.value.code == "unknown-clock-step"
    assert len(venue.facts) == before
    assert "clock-log" not in venue.exchange.streams


@pytest.mark.rule("DAY-05")
@pytest.mark.parametrize("step", [TEN_DAYS, -TEN_DAYS])
def test_a_server_that_leads_after_a_confirmation_follows_the_clock(step: int):
    venue = Venue()
    venue.tell(ConfirmClock(venue.meta(), step, step))
    log, confirmed = log_of(venue.facts), venue.facts[-1].event
    now = confirmed.meta.at + step

    stepped = SystemClock(lambda: now * 1_000, lambda: 0)
    stepped.not_before(newest_time(log, log.head()))

    assert stepped.step() is None

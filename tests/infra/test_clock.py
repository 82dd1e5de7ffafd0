"""The venue's time after steps of the system's clock (docs/rules/markets.md)."""

import pytest

from infra.runtime import clock_steps
from infra.runtime.clock import SystemClock
from infra.runtime.clock_steps import agreed, at_least
from tests.support.machine import Machine

SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000
#: 2026-01-01 12:00 UTC.
NOON = 1_767_268_800_000_000


@pytest.fixture
def machine() -> Machine:
    return Machine(NOON)


@pytest.mark.rule("DAY-03")
@pytest.mark.parametrize(
    ("reference", "wall", "step", "time"),
    [
        (agreed(NOON, 0), NOON + DAY, None, NOON + DAY),
        (agreed(NOON, 0), NOON + DAY + MINUTE, None, NOON + DAY + MINUTE),
        (agreed(NOON, 0), NOON + DAY - MINUTE, None, NOON + DAY - MINUTE),
        (agreed(NOON, 0), NOON + DAY + MINUTE + 1, MINUTE + 1, NOON + DAY),
        (agreed(NOON, 0), NOON + DAY - MINUTE - 1, -MINUTE - 1, NOON + DAY),
        (agreed(NOON, 0), NOON + 11 * DAY, 10 * DAY, NOON + DAY),
        (agreed(NOON, 0), 0, -NOON - DAY, NOON + DAY),
        # The newest fact is only a lower limit: the venue may have been closed.
        (at_least(NOON, 0), NOON + 11 * DAY, None, NOON + 11 * DAY),
        (at_least(NOON, 0), NOON + DAY - MINUTE, None, NOON + DAY - MINUTE),
        (at_least(NOON, 0), NOON - DAY, -2 * DAY, NOON + DAY),
    ],
)
def test_the_clock_is_followed_unless_it_is_more_than_a_minute_off(
    reference: clock_steps.Reference, wall: int, step: int | None, time: int
):
    assert clock_steps.step(reference, wall, DAY) == step
    assert clock_steps.venue_time(reference, wall, DAY) == time


@pytest.mark.rule("DAY-03")
@pytest.mark.parametrize(
    ("each", "interval", "count", "stepped"),
    [
        # A leap second, or a correction of half a second each hour, for a year.
        (SECOND, 365 * DAY, 1, False),
        (SECOND // 2, DAY // 24, 365 * 24, False),
        (MINUTE, DAY, 365, False),
        (MINUTE // 2, MINUTE, 2, False),
        (MINUTE // 2, MINUTE, 3, True),
        (-MINUTE // 2, MINUTE, 3, True),
        (2 * MINUTE, DAY, 1, True),
    ],
)
def test_small_steps_may_add_up_to_a_minute_a_day(
    machine: Machine, each: int, interval: int, count: int, *, stepped: bool
):
    clock = machine.clock()

    for _ in range(count):
        machine.passes(interval)
        clock.step()
        machine.steps(each)

    assert (clock.step() is not None) is stepped


@pytest.mark.rule("DAY-03")
def test_a_suspended_machine_has_not_stepped(machine: Machine):
    clock = machine.clock()

    machine.passes(10 * DAY)

    assert clock.step() is None
    assert clock.now() == NOON + 10 * DAY


@pytest.mark.rule("DAY-03")
@pytest.mark.parametrize("ahead", [10 * DAY, -10 * DAY])
def test_the_time_goes_on_through_a_step_and_back(machine: Machine, ahead: int):
    clock = machine.clock()

    machine.steps(ahead)
    machine.passes(SECOND)
    assert clock.now() == NOON + SECOND
    assert clock.step() == ahead
    machine.steps(-ahead)
    machine.passes(SECOND)

    assert clock.step() is None
    assert clock.now() == NOON + 2 * SECOND


@pytest.mark.rule("DAY-04")
@pytest.mark.parametrize("ahead", [10 * DAY, -10 * DAY])
def test_a_confirmed_step_is_followed(machine: Machine, ahead: int):
    clock = machine.clock()
    clock.now()
    machine.steps(ahead)

    clock.confirm(ahead)

    assert clock.step() is None
    assert clock.now() == NOON + ahead


@pytest.mark.rule("DAY-04")
def test_another_step_than_the_confirmed_one_is_not_followed(machine: Machine):
    clock = machine.clock()
    machine.steps(10 * DAY)
    machine.steps(2 * MINUTE)

    clock.confirm(10 * DAY)

    assert clock.step() == 10 * DAY + 2 * MINUTE
    assert clock.now() == NOON


@pytest.mark.rule("DAY-03")
def test_a_small_step_back_takes_no_time_back(machine: Machine):
    clock = machine.clock()
    before = clock.now()

    machine.steps(-MINUTE)

    assert [clock.now(), clock.now()] == [before + 1, before + 2]
    assert machine.clock().now() == NOON - MINUTE


@pytest.mark.rule("DAY-05")
def test_a_start_ten_days_after_the_newest_fact_is_no_step(machine: Machine):
    clock = machine.clock()

    clock.not_before(NOON - 10 * DAY)

    assert clock.step() is None
    assert clock.now() == NOON


@pytest.mark.rule("DAY-05")
def test_a_clock_behind_the_newest_fact_waits_until_it_is_set_right(machine: Machine):
    clock = machine.clock()

    clock.not_before(NOON + 10 * DAY)
    assert clock.step() == -10 * DAY
    assert clock.now() > NOON + 10 * DAY
    machine.steps(13 * DAY)

    assert clock.step() is None
    assert clock.now() == NOON + 13 * DAY


@pytest.mark.rule("DAY-05")
def test_a_standby_takes_the_step_that_the_log_shows_as_confirmed(machine: Machine):
    clock = machine.clock()
    machine.steps(10 * DAY)
    assert clock.step() == 10 * DAY

    # The leader before it recorded this fact after a confirmation.
    clock.not_before(NOON + 10 * DAY)

    assert clock.step() is None
    assert clock.now() > NOON + 10 * DAY


@pytest.mark.rule("DAY-05")
def test_a_new_leader_never_stamps_before_the_newest_fact(machine: Machine):
    clock = machine.clock()

    clock.not_before(NOON + MINUTE // 2)

    assert clock.step() is None
    assert clock.now() > NOON + MINUTE // 2


def test_the_clocks_of_this_machine_agree():
    clock = SystemClock()

    first, second = clock.now(), clock.now()

    assert first < second
    assert clock.step() is None

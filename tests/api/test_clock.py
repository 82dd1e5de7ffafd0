"""An administrator confirms a step of the system's clock (rule DAY-04)."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.events.clock import ClockConfirmed
from tests.support.people import Person
from tests.support.served import Served

SECOND = 1_000_000
TEN_DAYS = 864_000


async def confirmed(admin: Person, ahead: Any, **headers: str) -> httpx.Response:
    path, body = "/v2/admin/clock/confirmations", {"ahead_seconds": ahead}
    return await admin.request("POST", path, body, **headers)


async def time_of_an_order(trader: Person) -> datetime:
    return datetime.fromisoformat((await trader.places())["created_at"])


def confirmations(server: Served) -> list[tuple[str, int]]:
    """Return actor and step of each confirmation in the log."""
    return [
        (fact.event.meta.actor, fact.event.ahead)
        for fact in server.log.reader.read(0, 10_000).facts
        if isinstance(fact.event, ClockConfirmed)
    ]


@pytest.mark.rule("DAY-03")
async def test_a_step_reaches_neither_orders_nor_tokens(server: Served):
    ada = await server.trader()
    before = await time_of_an_order(ada)

    server.machine.steps(TEN_DAYS * SECOND)

    assert await time_of_an_order(ada) - before < timedelta(minutes=1)


@pytest.mark.rule("DAY-04")
async def test_a_confirmation_is_a_fact_and_the_venue_follows_the_clock(
    server: Served, admin: Person
):
    ada = await server.trader()
    before = await time_of_an_order(ada)
    server.machine.steps(3_600 * SECOND)

    answer = await confirmed(admin, 3_600)

    assert answer.status_code == 200
    assert answer.json() == {
        "ahead_seconds": 3_600,
        "log_position": int(answer.headers["Bourse-Log-Position"]),
    }
    assert confirmations(server) == [(admin.user_id, 3_600 * SECOND)]
    assert server.clock.step() is None
    assert await time_of_an_order(ada) - before >= timedelta(hours=1)


@pytest.mark.rule("DAY-04")
@pytest.mark.parametrize(
    ("stepped", "shown", "now"), [(0, 90, None), (864_000, 90, 864_000), (-90, 90, -90)]
)
async def test_only_the_step_that_the_clock_shows_can_be_confirmed(
    server: Served, admin: Person, stepped: int, shown: int, now: int | None
):
    server.machine.steps(stepped * SECOND)

    answer = await confirmed(admin, shown)

    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (409, "unknown-clock-step")
    assert problem["ahead_seconds"] == now
    assert problem["message"].startswith(f"there is no step of {shown} s to confirm")
    assert confirmations(server) == []


@pytest.mark.rule("DAY-04")
async def test_a_confirmation_that_is_sent_again_confirms_no_later_step(
    server: Served, admin: Person
):
    server.machine.steps(3_600 * SECOND)
    first = await confirmed(admin, 3_600, Idempotency_Key="confirm")
    server.machine.steps(3_600 * SECOND)

    again = await confirmed(admin, 3_600, Idempotency_Key="confirm")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert server.clock.step() is not None


@pytest.mark.parametrize("wrong", [None, "soon", 1.5, 10**11])
async def test_a_step_is_a_number_of_seconds(admin: Person, wrong: Any):
    answer = await confirmed(admin, wrong)

    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (422, "ahead_seconds")


async def test_only_an_administrator_confirms_a_step(server: Served):
    ada = await server.person()
    server.machine.steps(3_600 * SECOND)

    answer = await confirmed(ada, 3_600)

    assert (answer.status_code, answer.json()["reason"]) == (403, "not-allowed")

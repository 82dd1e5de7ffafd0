"""Any server signs users in and notes refusals, whether it leads or not."""

from pathlib import Path

import psycopg
import pytest

from tests.support import calls
from tests.support.calls import Call
from tests.support.server_process import wait_until
from tests.support.survival import running, standby_of

ADA = {"email": "ada@example.org", "password": calls.PASSWORD}
WRONG = calls.log_in("ada@example.org", "a wrong one")
ACCOUNT = Call("GET", "/v2/account")


def refusals(database_url: str) -> list[str]:
    """Return the topics of the security facts in the log."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT topic FROM events WHERE originator_id = 'security-log' "
            "ORDER BY notification_id"
        ).fetchall()
    return [topic for (topic,) in rows]


@pytest.mark.rule("USER-06")
@pytest.mark.rule("USER-07")
def test_a_standby_signs_in_and_goes_on_when_it_took_over(tmp_path: Path):
    with running(tmp_path / "first") as leader:
        database_url = leader.run["database_url"]
        standby = standby_of(leader, tmp_path / "second")
        try:
            leader.ask(calls.register(**ADA)).raise_for_status()

            token = standby.token(ADA)
            shown = standby.ask(ACCOUNT, token)
            register = standby.ask(calls.register("ben@example.org"))
            wrong = standby.ask(WRONG)
            forbidden = standby.ask(calls.halt(), token)
            wait_until("both on record", lambda: len(refusals(database_url)) >= 2, 10)

            leader.kill()
            wait_until("the standby leads", lambda: standby.is_ready("leader"), 30)
            after = standby.ask(ACCOUNT, standby.token(ADA))
            wrong_after = standby.ask(WRONG)
            wait_until("on record", lambda: len(refusals(database_url)) >= 3, 10)
        finally:
            standby.end()
        recorded = refusals(database_url)

    assert shown.status_code == after.status_code == 200
    assert (register.status_code, register.json()["reason"]) == (503, "not-leading")
    assert wrong.status_code == wrong_after.status_code == 401
    assert forbidden.status_code == 403
    assert sorted(recorded[:2]) == ["security.access-refused", "security.login-failed"]
    assert recorded[2:] == ["security.login-failed"]


@pytest.mark.rule("USER-07")
def test_a_refusal_stands_while_postgres_is_away_and_is_recorded_later(tmp_path: Path):
    with running(tmp_path / "home") as server:
        token = server.token(server.demo["traders"][0])
        database_url = server.run["database_url"]

        server.kill_postgres()
        forbidden = server.ask(calls.halt(), token)
        server.wait_ready("leader")
        wait_until("on record", lambda: bool(refusals(database_url)), 30)

        recorded = refusals(database_url)

    assert forbidden.status_code == 403
    assert recorded == ["security.access-refused"]

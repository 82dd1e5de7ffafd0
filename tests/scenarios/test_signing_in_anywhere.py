"""Signing in needs no leader: on a standby, and right after it took over."""

from pathlib import Path

import httpx
import pytest

from tests.support.server_process import wait_until
from tests.support.survival import running, standby_of

ADA = {"email": "ada@example.org", "password": "correct horse", "full_name": "Ada"}


@pytest.mark.rule("USER-06")
def test_who_signed_up_at_the_leader_signs_in_at_the_standby_and_after_it_took_over(
    tmp_path: Path,
):
    with running(tmp_path / "first") as leader:
        standby = standby_of(leader, tmp_path / "second")
        try:
            httpx.post(f"{leader.url}/auth/register", json=ADA).raise_for_status()

            token = standby.token(ADA)
            account = httpx.get(
                f"{standby.url}/v2/account",
                headers={"Authorization": f"Bearer {token}"},
            )
            refused = httpx.post(f"{standby.url}/auth/register", json=ADA)
            leader.kill()
            wait_until("the standby leads", lambda: standby.is_ready("leader"), 30)
            after = standby.token(ADA)
        finally:
            standby.end()

    assert account.status_code == 200
    assert (refused.status_code, refused.json()["reason"]) == (503, "not-leading")
    assert after

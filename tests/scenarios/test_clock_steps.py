"""A whole server whose system clock steps: the alarm, the trading, the day roll."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support import calls
from tests.support.calls import Call
from tests.support.server_process import ServerProcess, wait_until
from tests.support.stepped_clock import AHEAD_FILE

TEN_DAYS = 864_000


class SteppedServer(ServerProcess):
    """A server, and the file that sets its system clock."""

    def __init__(self, home: Path) -> None:
        self._file = home.with_suffix(".ahead")
        environment = {"BOURSE_DEMO": "1", AHEAD_FILE: str(self._file)}
        super().__init__(home, environment, program="tests.support.stepped_clock")

    def set_ahead(self, seconds: int) -> None:
        staging = self._file.with_suffix(".new")
        staging.write_text(str(seconds))
        staging.replace(self._file)

    @property
    def step(self) -> dict[str, int] | None:
        """Return what `/health/ready` shows of the clock."""
        readiness = self.readiness()
        assert readiness is not None
        assert readiness["ready"]
        return readiness["clock"]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the server's log about an event."""
        log = (self.home / "server.log").read_text().splitlines()
        parsed = [json.loads(line) for line in log if line.startswith("{")]
        return [line for line in parsed if line["event"] == event]


@pytest.fixture
def server(tmp_path: Path) -> Generator[SteppedServer]:
    server = SteppedServer(tmp_path / "home")
    try:
        server.start().wait_ready("leader")
        yield server
    finally:
        server.end()


def status(server: ServerProcess, token: str, order_id: str) -> str:
    return str(
        server.ask(Call("GET", f"/v2/orders/{order_id}"), token).json()["status"]
    )


@pytest.mark.rule("DAY-03")
@pytest.mark.rule("DAY-04")
def test_a_step_of_ten_days_expires_nothing_until_it_is_confirmed(
    server: SteppedServer,
):
    ada, bob, *_ = [server.token(each) for each in server.demo["traders"]]
    bid = calls.place(qty=5, limit_price=95, time_in_force="day")
    resting = server.ask(bid, ada).json()["id"]

    server.set_ahead(TEN_DAYS)
    wait_until(
        "the log shows the step", lambda: bool(server.lines("clock_stepped")), 20
    )
    assert server.step == {"ahead_seconds": TEN_DAYS}
    taken = server.ask(calls.place(qty=2, side="sell", limit_price=95), bob).json()
    assert taken["status"] == "filled"
    assert status(server, ada, resting) == "partially_filled"
    other = server.command("admin", "confirm-clock", "--ahead", "600")
    assert (other.returncode, "there is no step of 600 s" in other.stderr) == (1, True)

    confirmed = server.command("admin", "confirm-clock", "--ahead", str(TEN_DAYS))
    assert confirmed.returncode == 0, confirmed.stderr
    wait_until("the day rolls", lambda: bool(server.lines("day_rolled")), 20)

    assert server.step is None
    # The tokens from before are ten days old by now.
    ada = server.token(server.demo["traders"][0])
    assert status(server, ada, resting) == "expired"
    assert len(server.lines("clock_stepped")) == len(server.lines("clock_agrees")) == 1


@pytest.mark.rule("DAY-05")
def test_a_start_with_a_clock_behind_the_log_is_an_alarm_and_one_ahead_is_not(
    server: SteppedServer,
):
    for ahead, alarms in ((-TEN_DAYS, 1), (TEN_DAYS, 1)):
        server.end()
        server.set_ahead(ahead)
        server.start().wait_ready("leader")
        assert len(server.lines("clock_stepped")) == alarms

    assert server.step is None
    assert server.lines("day_rolled")


@pytest.mark.rule("DAY-03")
def test_an_operator_without_a_password_confirms_a_clock_that_was_set_back(
    server: SteppedServer,
):
    # Without the demonstration's administrator, the installation's key signs a token.
    (server.home / "demo.json").unlink()
    server.set_ahead(-TEN_DAYS)
    wait_until("ready shows the step", lambda: server.step is not None, 20)

    confirmed = server.command("admin", "confirm-clock", "--ahead", str(-TEN_DAYS))

    assert confirmed.returncode == 0, confirmed.stderr
    assert "behind" in confirmed.stdout
    assert server.step is None

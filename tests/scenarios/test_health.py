"""Health checks answer at once, whatever hangs, and ready means usable."""

from collections.abc import Generator
from pathlib import Path
from time import monotonic

import httpx
import pytest

from infra.local.servers import start_postgres, start_redis
from tests.support.server_process import ServerProcess, wait_until
from tests.support.standing_still import standing_still

#: What a load balancer waits.
PATIENCE = 2.0


@pytest.fixture
def server(tmp_path: Path) -> Generator[ServerProcess]:
    server = ServerProcess(tmp_path / "home", {"BOURSE_DEMO": "1"})
    try:
        yield server.start()
    finally:
        server.end()


def ready(server: ServerProcess) -> tuple[int, dict[str, str], float]:
    started = monotonic()
    answer = httpx.get(f"{server.url}/health/ready", timeout=10)
    body = answer.json()
    return answer.status_code, body["dependencies"], monotonic() - started


@pytest.mark.parametrize("part", ["postgres", "redis"])
def test_a_part_that_stands_still_is_reported_in_two_seconds(
    server: ServerProcess, part: str
):
    server.wait_ready("leader")
    start = {"postgres": start_postgres, "redis": start_redis}[part]
    other = {"postgres": "redis", "redis": "postgres"}[part]

    with standing_still(start(server.home).pid):
        for _ in range(3):
            status, dependencies, seconds = ready(server)
            assert (status, dependencies[part]) == (503, "down")
            assert dependencies[other] == "ok"
            assert seconds < PATIENCE
            started = monotonic()
            alive = httpx.get(f"{server.url}/health/live", timeout=10)
            assert alive.status_code == 200
            assert monotonic() - started < PATIENCE

    wait_until("it is ready again", lambda: ready(server)[0] == 200, 60)


def test_ready_means_that_the_demonstration_can_sign_in(server: ServerProcess):
    def answers() -> bool:
        return server.readiness() is not None

    wait_until("it answers", answers, 60)
    while True:
        answer = httpx.get(f"{server.url}/health/ready", timeout=10)
        if answer.status_code == 200:
            break

    # No retry: what a 200 promises is there.
    assert (server.home / "run.json").exists()
    assert server.run["role"] == "leader"
    for person in (server.demo["admin"], *server.demo["traders"]):
        assert server.token(person)

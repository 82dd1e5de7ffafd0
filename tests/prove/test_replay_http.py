"""Both recorded flows, whole, over HTTP, the book compared at every 100th row."""

from pathlib import Path

import pytest

from infra.replay.score import Report
from tests.support.flow_server import flow_server, replay
from tests.support.orderflows import RECORDED, recorded_flow

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("name", RECORDED)
def test_a_whole_recorded_flow_comes_out_exactly_over_http(
    name: str,
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
):
    flow = recorded_flow(name)
    orders, fills, rows = RECORDED[name]

    with flow_server(tmp_path / "home", database_url, redis_url) as server:
        code, report = replay(server, flow, "--rows-every", "100")
        audit = server.command("audit", "verify")

    with capsys.disabled():
        print(f"  {name}: {_summary(report)}")  # noqa: T201 - a proof prints its figures
    assert report.mismatches == []
    assert code == 0
    assert (
        report.aggressive_orders_exact,
        report.fills_exact,
        report.rows_exact,
    ) == (orders, fills, rows // 100)
    assert audit.returncode == 0, audit.stdout


def _summary(report: Report) -> str:
    return (
        f"{report.commands} commands, {report.fills_exact}/{report.fills} fills, "
        f"{report.aggressive_orders_exact}/{report.aggressive_orders} aggressive "
        f"orders and {report.rows_exact}/{report.rows} compared rows exact"
    )

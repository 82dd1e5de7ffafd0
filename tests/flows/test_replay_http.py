"""Order flow through the public API of a whole server, as `bourse replay` sends it."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.flow_server import flow_server, replay
from tests.support.orderflows import RECORDED, SMALL, recorded_flow, write_flow
from tests.support.server_process import ServerProcess

COMMANDS = 2_000


@pytest.fixture
def server(
    tmp_path: Path, database_url: str, redis_url: str
) -> Generator[ServerProcess]:
    with flow_server(tmp_path / "home", database_url, redis_url) as server:
        yield server


@pytest.mark.parametrize("name", RECORDED)
def test_the_first_recorded_commands_come_out_exactly_over_http(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
):
    flow = recorded_flow(name)
    server: ServerProcess = request.getfixturevalue("server")

    code, report = replay(server, flow, "--limit", str(COMMANDS))

    assert report.mismatches == []
    assert code == 0
    assert report.exact
    assert report.commands == COMMANDS
    assert report.fills_exact == report.fills > 50
    assert report.rows_exact == report.rows > 100


def test_a_reduction_keeps_its_place_over_http(server: ServerProcess, tmp_path: Path):
    code, report = replay(server, write_flow(tmp_path, SMALL))

    assert report.mismatches == []
    assert (code, report.commands, report.fills_exact) == (0, 12, 3)


def test_a_replay_tells_where_the_server_disagrees_and_fails(
    server: ServerProcess, tmp_path: Path
):
    wrong = (
        SMALL.replace("[[2,60,1010000]", "[[3,60,1010000]")
        .replace('["row",1010000,160', '["row",1010000,161')
        .replace('["reduce",3,10]', '["reduce",9,10]')
        .replace("980000,10]", "980050,10]", 1)
    )

    code, report = replay(server, write_flow(tmp_path, wrong), "--rows-every", "2")

    assert code == 1
    assert not report.exact
    text = "\n".join(report.mismatches)
    assert "line 7: fills should be [60 at 101 of order 3" in text
    assert "line 9: reduce 9: no such order is open" in text
    assert "line 12: seed 1: the price 98.005 is not a multiple" in text
    assert report.rows == 3


def test_one_refused_order_of_a_batch_does_not_harm_the_others(
    server: ServerProcess, tmp_path: Path
):
    flow = """
["seed",1,1,990000,300]
["seed",2,1,980050,10]
["seed",3,1,980000,20]
["row",9999999999,0,990000,300,9999999999,0,980000,20]
"""

    code, report = replay(server, write_flow(tmp_path, flow))

    assert code == 1
    (mismatch,) = report.mismatches
    assert mismatch.startswith("line 2: seed 2: the price 98.005 is not a multiple")
    assert report.rows_exact == 1

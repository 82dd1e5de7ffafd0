"""Order flow through the writer of this process, on a real log."""

from pathlib import Path

import pytest

from infra.log.event_store import PostgresEventStore
from infra.replay.decisions import own_decisions
from infra.replay.driver import replay
from infra.replay.orderflow import read_flow
from infra.replay.score import Report
from infra.replay.writer_venue import WriterVenue
from tests.support.orderflows import RECORDED, SMALL, recorded_flow, write_flow


def replayed(path: Path, database_url: str) -> Report:
    with (
        PostgresEventStore(database_url) as store,
        own_decisions(store) as decisions,
    ):
        venue = WriterVenue(decisions, "FLOW")
        return replay(venue, read_flow(path), flow=path.name, symbol="FLOW")


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_fill_and_row_comes_out_of_the_writer(
    name: str, database_url: str
):
    report = replayed(recorded_flow(name), database_url)

    assert report.mismatches == []
    assert report.exact
    assert (
        report.aggressive_orders_exact,
        report.fills_exact,
        report.rows_exact,
    ) == RECORDED[name]


def test_a_reduction_keeps_its_place_and_an_id_may_come_again(
    tmp_path: Path, database_url: str
):
    report = replayed(write_flow(tmp_path, SMALL), database_url)

    assert report.mismatches == []
    assert (report.commands, report.fills_exact, report.rows_exact) == (12, 3, 6)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[[2,60,1010000]", "[[3,60,1010000]", "line 7: fills should be [60 at 101 of"),
        ("[[2,60,1010000]", "[[2,60,1009900]", "line 7: fills should be [60 at 100.99"),
        ("[3,40,1010000]", "[3,41,1010000]", "line 7: fills should be"),
        ("50,[]]", "50,[[1,50,980000]]]", "line 16: fills should be"),
        ('["row",1010000,160', '["row",1010000,161', "line 8: asks should be [161 at"),
        ("-9999999999,0]", "970000,1]", "line 18: asks should be []"),
        ('["drop",1]', '["drop",7]', "line 11: drop 7: no such order is open"),
        ("980000,10]", "980050,10]", "line 12: seed 1: the price 98.005 is not a"),
    ],
)
def test_a_replay_tells_where_the_exchange_disagrees(
    right: str, wrong: str, message: str, tmp_path: Path, database_url: str
):
    flow = write_flow(tmp_path, SMALL.replace(right, wrong, 1))

    report = replayed(flow, database_url)

    assert not report.exact
    assert any(each.startswith(message) for each in report.mismatches)

"""What is read from an order-flow file."""

from pathlib import Path

import pytest

from domain.vocabulary import Side
from infra.replay.orderflow import (
    ExpectedFill,
    FlowUnreadable,
    Ioc,
    New,
    Row,
    Seed,
    read_flow,
)
from tests.support.orderflows import RECORDED, recorded_flow, write_flow


def test_each_line_is_read_with_its_number(tmp_path: Path):
    flow = write_flow(
        tmp_path,
        '["seed",-1,1,5842200,100]\n'
        '["new",7,-1,5857900,16]\n'
        '["ioc",1,5857900,4,[[7,4,5857900]]]\n'
        '["row",5857900,12,5842200,100,9999999999,0,-9999999999,0]\n',
    )

    steps = read_flow(flow)

    assert steps == [
        (1, Seed(-1, 1, 5_842_200, 100)),
        (2, New(7, -1, 5_857_900, 16)),
        (3, Ioc(1, 5_857_900, 4, (ExpectedFill(7, 4, 5_857_900),))),
        (4, Row(((5_857_900, 12),), ((5_842_200, 100),), 2)),
    ]
    assert [step.side for _, step in steps if isinstance(step, Seed | New)] == [
        Side.BUY,
        Side.SELL,
    ]


def test_a_limit_counts_commands_and_keeps_the_rows_after_the_last(tmp_path: Path):
    flow = write_flow(
        tmp_path, '["cancel",1]\n["row",1,1,1,1]\n["cancel",2]\n["row",1,1,1,1]'
    )

    assert [line for line, _ in read_flow(flow, limit=1)] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        '["buy",1]',
        '["new",1,2,100,5]',
        '["new",1,1]',
        '["row",1,2,3]',
        '["row","x",2,3,4]',
        "{}",
        "[",
    ],
)
def test_a_line_that_is_no_order_flow_is_named(line: str, tmp_path: Path):
    flow = write_flow(tmp_path, f'["cancel",1]\n{line}\n')

    with pytest.raises(FlowUnreadable, match="line 2"):
        read_flow(flow)


def test_a_file_that_is_not_compressed_or_not_there_is_refused(tmp_path: Path):
    plain = tmp_path / "plain.jsonl.zst"
    plain.write_text('["cancel",1]')

    for path in (plain, tmp_path / "absent"):
        with pytest.raises(FlowUnreadable, match="cannot be read"):
            read_flow(path)


@pytest.mark.parametrize("name", RECORDED)
def test_the_recorded_flows_are_complete(name: str):
    steps = [step for _, step in read_flow(recorded_flow(name))]

    orders = [step for step in steps if isinstance(step, Ioc)]
    assert (
        len(orders),
        sum(len(order.fills) for order in orders),
        sum(isinstance(step, Row) for step in steps),
    ) == RECORDED[name]

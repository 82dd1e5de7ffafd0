"""The symbol of a replay tells which file it is of, and can be listed."""

from pathlib import Path

import msgspec
import pytest

from api.admin.listings import SymbolText
from infra.cli.replay_flow import ReplayOptions


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("goog.jsonl.zst", "GOOG."),
        ("a.zst", "A."),
        ("my_flow.zst", "MYFL."),
        ("2024-01-02 open.zst", "2024."),
        ("börse.zst", "BRSE."),
        ("流.zst", "FLOW."),
        (".zst", "FLOW."),
    ],
)
def test_a_file_of_any_name_gives_a_symbol_that_can_be_listed(name: str, start: str):
    symbol = ReplayOptions(flow=Path(name)).own_symbol()

    assert symbol.startswith(start)
    assert msgspec.convert(symbol, SymbolText) == symbol


def test_the_symbol_that_was_asked_for_is_kept():
    assert ReplayOptions(flow=Path("x"), symbol="ACME").own_symbol() == "ACME"

"""The type checker finds swaps: an amount or an id in the place of another kind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT

#: A line that ends with this mark contains a swap. All other lines are sound.
SWAP = "  # swap"

AMOUNTS = """
from domain.money import Money, Price, Quantity, fee

def settled(money: Money, price: Price, quantity: Quantity) -> Money:
    money + quantity  # swap
    money - price  # swap
    price + quantity  # swap
    quantity + 1  # swap
    price * price  # swap
    quantity * quantity  # swap
    money * price  # swap
    price < quantity  # swap
    money <= price  # swap
    value: Price = price * quantity  # swap
    bound: Quantity = price // 2  # swap
    fee(price, basis_points=1)  # swap
    fee(100, basis_points=1)  # swap
    moved(quantity, price)  # swap
    moved(price, quantity)
    assert value and bound and 0 < price and price > Price(1)
    half: Quantity = quantity // 2
    levels: int = price // price
    off: Price = price % Price(100)
    assert half and levels and off
    return -money + price * quantity + 2 * money + fee(money, basis_points=1)

def moved(price: Price, quantity: Quantity) -> Money:
    return max(price * quantity, quantity * price)
"""


def lines_with_swaps(text: str) -> set[int]:
    lines = enumerate(text.splitlines(), start=1)
    return {number for number, line in lines if line.endswith(SWAP)}


def reported_lines(folder: Path, text: str) -> set[int]:
    """Return the lines that pyright reports if the product contained this text."""
    (folder / "swaps.py").write_text(text)
    rules = {
        "include": ["swaps.py"],
        "extraPaths": [str(ROOT)],
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(rules))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(folder)]
    result = subprocess.run(
        [*command, "--pythonpath", sys.executable], capture_output=True, check=False
    )
    report = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    return {each["range"]["start"]["line"] + 1 for each in report["generalDiagnostics"]}


@pytest.mark.parametrize("text", [AMOUNTS], ids=["amounts"])
def test_every_swap_is_reported_and_nothing_else(text: str, tmp_path: Path):
    assert reported_lines(tmp_path, text) == lines_with_swaps(text) != set()

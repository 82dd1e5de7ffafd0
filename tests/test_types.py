"""The type checker finds swaps: an amount or an id in the place of another kind."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT, functions

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

IDS = """
from domain.ids import (
    AccountId, AssetId, ClientOrderId, HoldId, LogPosition, OrderId, Stream, Symbol,
    TradeId, account_of, wallet_stream,
)

def canceled(account_id: AccountId, order_id: OrderId) -> HoldId:
    return order_id

def read(after: LogPosition, limit: int) -> LogPosition:
    return after + limit

def swapped(
    account_id: AccountId, order_id: OrderId, hold_id: HoldId, name: ClientOrderId,
    symbol: Symbol, stream: Stream, position: LogPosition, number: TradeId,
) -> AssetId:
    canceled(order_id, account_id)  # swap
    canceled(account_id, hold_id)  # swap
    canceled(account_id, name)  # swap
    canceled(account_id, "4f6c")  # swap
    wallet_stream(order_id)  # swap
    wallet_stream(stream)  # swap
    account_of(account_id)  # swap
    read(100, position)  # swap
    read(number, 100)  # swap
    read(0, 100)  # swap
    {order_id: symbol}[account_id]  # swap
    canceled(account_of(wallet_stream(account_id)), order_id)
    read(read(position, 100) - 1, len(symbol))
    assert symbol.lower() and number + 1 > 0 and stream[:6] == "wallet"
    return symbol  # swap
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


@pytest.mark.parametrize("stub", ["domain.amounts", "domain.counters"])
def test_a_stub_declares_only_what_an_int_has(stub: str):
    module = importlib.import_module(stub)
    tree = ast.parse((ROOT / f"{stub.replace('.', '/')}.pyi").read_text())
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    public = {each.name for each in classes if not each.name.startswith("_")}

    assert public == {name for name in vars(module) if not name.startswith("_")}
    assert {getattr(module, name) for name in public} == {int}
    assert {each.name for each in functions(tree)} <= set(dir(int))


@pytest.mark.parametrize("text", [AMOUNTS, IDS], ids=["amounts", "ids"])
def test_every_swap_is_reported_and_nothing_else(text: str, tmp_path: Path):
    assert reported_lines(tmp_path, text) == lines_with_swaps(text) != set()

"""Order flows for tests: the recorded ones, if present, and small ones as text."""

import os
from pathlib import Path

import pytest
import zstandard

#: Aggressive orders, fills and rows of the recorded flows.
RECORDED = {"aapl": (1_977, 2_470, 49_475), "goog": (1_397, 1_693, 49_677)}

#: A reduction keeps its place in the queue, an id comes again, a level disappears.
SMALL = """
["seed",1,1,990000,300]
["seed",2,-1,1010000,100]
["row",1010000,100,990000,300]
["new",3,-1,1010000,200]
["reduce",2,40]
["row",1010000,260,990000,300]
["ioc",1,1020000,100,[[2,60,1010000],[3,40,1010000]]]
["row",1010000,160,990000,300]
["reduce",3,10]
["ioc",-1,990000,50,[[1,50,990000]]]
["drop",1]
["seed",1,1,980000,10]
["row",1010000,150,980000,10]
["cancel",3]
["row",9999999999,0,980000,10]
["ioc",-1,990000,50,[]]
["reduce",1,10]
["row",9999999999,0,-9999999999,0]
"""


def recorded_flow(name: str) -> Path:
    """Return a recorded flow's file, or skip the test if there is none."""
    folder = os.environ.get("BOURSE_ORDERFLOW")
    if not folder:
        pytest.skip("BOURSE_ORDERFLOW names no folder with the recorded order flows")
    path = Path(folder) / f"{name}.jsonl.zst"
    if not path.exists():
        pytest.skip(f"there is no {path.name} in the folder BOURSE_ORDERFLOW names")
    return path


def write_flow(folder: Path, text: str) -> Path:
    path = folder / "flow.jsonl.zst"
    path.write_bytes(zstandard.compress(text.strip().encode()))
    return path

"""The program that runs inside each checkout, with the packages of that checkout.

    inside.py run             # does what `bourse run` does there
    inside.py core COMMANDS   # runs one round through the core per line of input

A round prints a `Round` as one line of JSON. The program measures older commits too, so
it relies on few names: the console script of `pyproject.toml`, `OrderMix` of
`benchmarks.workload`, and `whole_core` of `benchmarks.bench_matching`.
"""

import importlib
import sys
import tomllib
from itertools import islice
from pathlib import Path

import msgspec

PACKAGES = (
    "domain",
    "commands",
    "projections",
    "processors",
    "api",
    "infra",
    "benchmarks",
)


class Round(msgspec.Struct, frozen=True):
    """Microseconds of processor time and rows of the log, both per command."""

    micros: float
    rows: float


def assert_own_packages() -> None:
    """Assert that Python imports every package from the current folder."""
    for name in PACKAGES:
        place = Path(importlib.import_module(name).__file__ or "").resolve()
        assert place.is_relative_to(Path.cwd()), f"{name} is imported from {place}"


def run() -> None:
    """Start this checkout the way its console script does."""
    scripts = tomllib.loads(Path("pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["bourse"].partition(":")
    sys.argv = ["bourse", "run"]
    vars(importlib.import_module(module))[function]()


def core(count: int) -> None:
    """Send the seeded order mix through the writer's core, round after round."""
    # Imported here: `run` does not need the benchmarks of the checkout.
    from benchmarks.bench_matching import SYMBOLS, TRADERS, whole_core
    from benchmarks.workload import OrderMix

    commands = list(islice(OrderMix(SYMBOLS, TRADERS), count))
    for _ in sys.stdin:
        pace = whole_core(commands)
        result = Round(1e6 / pace.processor, pace.rows / count)
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    assert_own_packages()
    if sys.argv[1] == "run":
        run()
    else:
        core(int(sys.argv[2]))

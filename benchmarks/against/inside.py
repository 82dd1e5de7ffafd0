"""What runs inside one of the two checkouts, with the packages of that checkout.

    inside.py run             # what `bourse run` does there
    inside.py core COMMANDS   # one round through the core for each line of input

A round answers with a `Round` in JSON on one line. The program measures older commits
too, so it relies on few names: the console script of `pyproject.toml`, `OrderMix` of
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
    """Microseconds of processor time a command, and rows of the log a command."""

    micros: float
    rows: float


def assert_own_packages() -> None:
    """Assert that Python imports every package from the current folder."""
    for name in PACKAGES:
        place = Path(importlib.import_module(name).__file__ or "").resolve()
        assert place.is_relative_to(Path.cwd()), f"{name} is imported from {place}"


def run() -> None:
    """Enter this checkout as its console script does."""
    scripts = tomllib.loads(Path("pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["bourse"].partition(":")
    sys.argv = ["bourse", "run"]
    vars(importlib.import_module(module))[function]()


def core(count: int) -> None:
    """Send the seeded order mix through the writer's core, round after round."""
    # Imported here, because `run` has no use for the benchmarks of a checkout.
    from benchmarks.bench_matching import SYMBOLS, TRADERS, whole_core
    from benchmarks.workload import OrderMix

    commands = list(islice(OrderMix(SYMBOLS, TRADERS), count))
    for _ in sys.stdin:
        pace = whole_core(commands)
        done = Round(1e6 / pace.processor, pace.rows / count)
        sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    assert_own_packages()
    if sys.argv[1] == "run":
        run()
    else:
        core(int(sys.argv[2]))

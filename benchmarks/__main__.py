"""`python -m benchmarks [NAME …] [--quick] [--write]`: all figures in one table.

--quick runs in less than two minutes; its numbers are too rough to quote.
--write puts the table of a complete run into benchmarks/README.md.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    bench_http,
    bench_matching,
    bench_memory,
    bench_rebuild,
    bench_restart,
    bench_visible,
    bench_writer,
)
from benchmarks.machine import machine_facts
from benchmarks.report import report, write_report
from benchmarks.suite import Suite
from benchmarks.table import Result, Row, markdown

README = Path(__file__).with_name("README.md")
#: The order matters: the restart needs the read models of the rebuild.
MODULES = (
    bench_matching,
    bench_writer,
    bench_http,
    bench_visible,
    bench_rebuild,
    bench_restart,
    bench_memory,
)
BENCHMARKS: dict[str, Callable[[Suite], list[Row]]] = {
    module.NAME: module.measure for module in MODULES
}


def main() -> int:
    # SIGTERM raises KeyboardInterrupt, so that a run always stops its servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    names: list[str] = options.names or list(BENCHMARKS)
    answers: list[Result] = []
    with Suite(quick=options.quick) as suite:
        facts = machine_facts(suite.places().database_url)
        for name in names:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            answers.append(Result(name, BENCHMARKS[name](suite)))
    print(markdown(answers))
    if options.write:
        write_report(README, report(facts, answers, quick=options.quick))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: not one of {names}")
    if options.write and options.names:
        parser.error("--write needs a complete run, without names")
    return options


if __name__ == "__main__":
    sys.exit(main())

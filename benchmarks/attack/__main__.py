"""Attacks a server of this machine, one attack after the other, and prints a table.

    python -m benchmarks.attack [NAME …] [--seconds 8] [--bids 2000]

Each attack gets a fresh server in a temporary folder and stops by itself. Patient
clients read and trade alongside, from another address. After the time of the attack,
while the attacker goes on, SIGTERM ends the server. The exit code is 1 if the server
grew by 50 MB or more, if the 99th percentile of the other clients' answers was 100 ms
or more, if one of them failed, or if the server did not end in 10 s.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from benchmarks.attack import clients, traders
from benchmarks.attack.measure import Attack, Outcome, measure
from benchmarks.attack.target import attacked
from benchmarks.suite import Suite


def attacks(bids: int) -> dict[str, Attack]:
    """Return every attack by name, in order."""
    return {
        "nothing": Attack(clients.nothing),
        "pipelining, unread": Attack(clients.pipeline_unread),
        "pipelining, read": Attack(clients.pipeline_read),
        "large answers, unread": Attack(clients.large_answers_unread),
        "endless request line": Attack(clients.endless_target),
        "endless header": Attack(clients.endless_header),
        "300 idle, 256 files": Attack(clients.idle, files=256),
        "slow heads": Attack(clients.slow_heads),
        "slow bodies": Attack(clients.slow_bodies),
        f"cancel {bids:,} bids": Attack(
            partial(traders.cancel_everything, bids=bids),
        ),
        "filters without a match": Attack(traders.scan, before=traders.finish_orders),
        "cancels that are refused": Attack(traders.cancel_twice),
    }


HEADINGS = ["attack", "memory MB", "p50 ms", "p99 ms", "stop s", "verdict"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.attack")
    parser.add_argument("names", nargs="*", help="attacks; without one, all")
    parser.add_argument("--seconds", type=float, default=8.0, help="time of each")
    parser.add_argument("--bids", type=int, default=2_000, help="bids to cancel")
    chosen = parser.parse_args()
    every = attacks(chosen.bids)
    outcomes: list[Outcome] = []
    _print(HEADINGS)
    _print(["---"] * len(HEADINGS))
    with Suite(quick=False) as suite:
        for name, attack in every.items():
            if not chosen.names or any(part in name for part in chosen.names):
                with attacked(suite.places(), attack.files) as victim:
                    outcomes.append(measure(name, attack, victim, chosen.seconds))
                _print(outcomes[-1].cells())
    for each in outcomes:
        for failure in sorted(set(each.failures))[:3]:
            print(f"{each.name}: {failure}")
    return int(any(each.broken for each in outcomes))


def _print(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-against REV=commit`: is this checkout slower than an older commit?

The exit code is 1 if any figure is worse, and 2 if git cannot check the commit out. A
run of fewer than five rounds decides nothing.
"""

import argparse
import signal
import sys

from benchmarks.against.checkout import NoSuchCommit, older_checkout, this_checkout
from benchmarks.against.rounds import Plan, measure
from benchmarks.against.verdict import table

#: The exchange core before any further capability.
REFERENCE = "a43e954"


def main() -> int:
    # SIGTERM raises KeyboardInterrupt, so that a run removes servers and worktree.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    plan = Plan(options.rounds, options.seconds, options.commands)
    new = this_checkout()
    try:
        with older_checkout(options.commit) as old:
            figures = measure(old, new, plan)
    except NoSuchCommit as reason:
        print(reason, file=sys.stderr)
        return 2
    print(
        f"Old is {old.commit}, new is {new.commit}: {plan.rounds} rounds, "
        "median [lowest..highest], processor time per command or order.\n"
    )
    print(table(figures))
    worse = [each for each in figures if each.worse]
    for each in worse:
        print(f"Worse: {each.question}, {each.part}")
    return int(bool(worse))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.against", description=__doc__
    )
    parser.add_argument("commit", nargs="?", default=REFERENCE)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="the length of a turn over HTTP"
    )
    parser.add_argument(
        "--commands",
        type=int,
        default=20_000,
        help="the commands of a round of the core",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

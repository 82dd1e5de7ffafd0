"""The rounds: in each one the old and the new commit take turns at every question.

A turn lasts a few seconds, so that both sides run under the same conditions. The server
of the other side is idle meanwhile. A warm-up round before the first does not count.
"""

import contextlib
import subprocess
import sys
from collections.abc import Generator

import msgspec

from benchmarks.against.checkout import Checkout
from benchmarks.against.inside import Round
from benchmarks.against.installation import Installation, Turn, installation, no_op
from benchmarks.against.verdict import Figure
from benchmarks.bench_http import BATCH, BATCH_CONNECTIONS, CONNECTIONS
from benchmarks.http_requests import Orders, batches, singles

MICROS = "us"
STOP_SECONDS = 60.0
#: A connection repeats its requests or batches after this many.
REQUESTS = 400
BATCHES = 40


class Plan(msgspec.Struct, frozen=True):
    """The length of a run: rounds, seconds per HTTP turn, commands per core round."""

    rounds: int
    seconds: float
    commands: int


class Side(msgspec.Struct):
    """One commit: the process of its core, its server, and the requests to send."""

    new: bool
    core: subprocess.Popen[bytes]
    server: Installation
    singles: list[list[str]]
    batches: list[list[str]]

    def core_round(self) -> Round:
        assert self.core.stdin is not None
        assert self.core.stdout is not None
        self.core.stdin.write(b"\n")
        self.core.stdin.flush()
        line = self.core.stdout.readline()
        if not line:
            raise RuntimeError("the core of a checkout has ended; its error is above")
        return msgspec.json.decode(line, type=Round)


class Figures:
    """All samples by question and part, in the order of their measurement."""

    def __init__(self) -> None:
        self.by_part: dict[tuple[str, str], Figure] = {}

    def add(
        self, question: str, part: str, value: float, *, new: bool, unit: str = MICROS
    ) -> None:
        figure = self.by_part.setdefault((question, part), Figure(question, part, unit))
        (figure.new if new else figure.old).append(value)

    def add_turn(self, question: str, turn: Turn, empty: float, *, new: bool) -> None:
        """Add the time of an order, its ratio to a no-op, and each part of the time."""
        parts = turn.micros()
        whole = sum(parts.values())
        self.add(question, "whole order", whole, new=new)
        self.add(question, "whole order in no-ops", whole / empty, new=new, unit="")
        for name, micros in parts.items():
            self.add(question, name, micros, new=new)

    def nonzero(self) -> list[Figure]:
        return [each for each in self.by_part.values() if any(each.old + each.new)]


def measure(old: Checkout, new: Checkout, plan: Plan) -> list[Figure]:
    """Let two commits take turns, and return every figure of every question."""
    with contextlib.ExitStack() as stack:
        nothing = stack.enter_context(no_op())
        sides = [
            stack.enter_context(_side(each, plan, new=each is new))
            for each in (old, new)
        ]
        _round(Figures(), nothing, sides, plan)
        figures = Figures()
        for number in range(1, plan.rounds + 1):
            print(f"round {number} of {plan.rounds}", file=sys.stderr, flush=True)
            # Alternate the order, so that no side is always first.
            sides.reverse()
            _round(figures, nothing, sides, plan)
    return figures.nonzero()


def _round(
    figures: Figures, nothing: Installation, sides: list[Side], plan: Plan
) -> None:
    """Measure every question once for each side."""
    seconds = plan.seconds
    for side in sides:
        result = side.core_round()
        figures.add("core", "command", result.micros, new=side.new)
        figures.add("core", "rows of the log", result.rows, new=side.new, unit="")
    no_ops: dict[bool, float] = {}
    for side in sides:
        empty = nothing.turn(_to_no_op(side.singles), seconds=seconds / 2, orders=1)
        no_ops[side.new] = sum(empty.micros().values())
        turn = side.server.turn(side.singles, seconds=seconds, orders=1)
        figures.add_turn("one a request", turn, no_ops[side.new], new=side.new)
    for side in sides:
        turn = side.server.turn(side.batches, seconds=seconds, orders=BATCH)
        figures.add_turn(f"batches of {BATCH}", turn, no_ops[side.new], new=side.new)


def _to_no_op(requests: list[list[str]]) -> list[list[str]]:
    return [
        [each.replace("/v2/orders", "/no-op", 1) for each in some] for some in requests
    ]


@contextlib.contextmanager
def _side(checkout: Checkout, plan: Plan, *, new: bool) -> Generator[Side]:
    with _core(checkout, plan.commands) as core, installation(checkout) as running:
        orders = Orders(running.server)
        yield Side(
            new=new,
            core=core,
            server=running,
            singles=singles(
                orders, "/v2/orders", connections=CONNECTIONS, each=REQUESTS
            ),
            batches=batches(
                orders, connections=BATCH_CONNECTIONS, each=BATCHES, size=BATCH
            ),
        )


@contextlib.contextmanager
def _core(checkout: Checkout, commands: int) -> Generator[subprocess.Popen[bytes]]:
    process = checkout.start(
        ["core", str(commands)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        # Closing its input ends the process.
        process.communicate(timeout=STOP_SECONDS)

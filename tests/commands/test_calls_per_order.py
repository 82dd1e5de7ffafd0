"""The number of calls per order is pinned: a speed gate without a clock.

A fixed flow makes the same number of Python and C calls in every run, on every machine
and on Python 3.11, 3.12 and 3.13. Python 3.12 counts a list comprehension differently,
so the core uses none on the path of an order.
"""

import gc
from collections.abc import Sequence
from cProfile import Profile
from itertools import islice

import msgspec
import pytest

from benchmarks.workload import OrderMix, carry_out, open_exchange
from commands.messages import Command
from commands.state.exchange import Exchange
from domain.errors import OrderDone

#: The core of a43e954 made 34.19 and 20.37 calls. The message of a commit that changes
#: these numbers must explain the change.
PYTHON_CALLS = 33.34
C_CALLS = 16.59
TOLERANCE = 0.03

SYMBOLS = [f"SYM{number}" for number in range(10)]
TRADERS = 100
COMMANDS = 10_000


def carry_out_or_refuse(exchange: Exchange, command: Command) -> None:
    """Carry out one command in memory; ignore the refusal of a late cancel."""
    try:
        carry_out(exchange, command)
    except OrderDone:
        return


class Calls(msgspec.Struct):
    """The number of calls of Python functions and of C functions."""

    python: int
    c: int


def count_calls(commands: Sequence[Command]) -> Calls:
    """Carry out the flow on an open market and count the calls below it."""
    exchange = open_exchange(SYMBOLS, TRADERS)
    profile = Profile()
    # The garbage collector runs at random moments and may call Python code.
    gc.disable()
    profile.enable()
    try:
        for command in commands:
            carry_out_or_refuse(exchange, command)
    finally:
        profile.disable()
        gc.enable()
    return calls_of(profile)


def calls_of(profile: Profile) -> Calls:
    """Sum a profile, without this file and without the call that ends it."""
    calls = Calls(python=0, c=0)
    for entry in profile.getstats():
        code = entry.code
        if not isinstance(code, str):
            calls.python += entry.callcount * (code.co_filename != __file__)
        elif "Profiler" not in code:
            calls.c += entry.callcount
    return calls


def complaint(kind: str, counted: float, pinned: float) -> str:
    """Return a complaint about a count; empty if it is within the tolerance."""
    change = f"{kind} calls per command: {counted:.2f}, pinned {pinned:.2f}"
    if counted > pinned * (1 + TOLERANCE):
        return f"{change}; find what a command does more often, or explain it"
    if counted < pinned * (1 - TOLERANCE):
        return f"{change}; lower the pin"
    return ""


def flow(count: int) -> list[Command]:
    return list(islice(OrderMix(SYMBOLS, TRADERS), count))


def test_a_command_makes_the_pinned_number_of_calls():
    commands = flow(COMMANDS)

    calls = count_calls(commands)

    assert complaint("Python", calls.python / COMMANDS, PYTHON_CALLS) == ""
    assert complaint("C", calls.c / COMMANDS, C_CALLS) == ""


def test_the_count_is_the_same_in_every_run():
    commands = flow(1_000)

    first, second = count_calls(commands), count_calls(commands)

    assert first == second
    assert first.python > 0
    assert first.c > 0


@pytest.mark.parametrize(
    ("counted", "end"),
    [
        (104.0, "find what a command does more often, or explain it"),
        (96.0, "lower the pin"),
    ],
)
def test_growing_and_shrinking_beyond_the_tolerance_fail(counted: float, end: str):
    assert complaint("Python", counted, 100.0).endswith(end)


@pytest.mark.parametrize("counted", [97.5, 100.0, 102.5])
def test_a_change_within_the_tolerance_passes(counted: float):
    assert complaint("Python", counted, 100.0) == ""

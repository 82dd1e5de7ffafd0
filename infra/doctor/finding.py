"""What one check of the doctor found, and what to do about it."""

import enum

import msgspec


class State(enum.StrEnum):
    """OK and WRONG are results; a check that could not be made is UNKNOWN."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """The result of one check: what it saw, and what to do unless all is well."""

    state: State
    says: str
    remedy: str = ""


class NotChecked(Exception):
    """A check could not be made, because what it asks is down."""


class NoAnswer(NotChecked):
    """What a check asked did not answer in time, or broke off."""


#: What to do about an embedded server that nobody has started.
START = "`make run` starts it; the doctor starts nothing"


def ok(says: str) -> Finding:
    return Finding(State.OK, says)


def wrong(says: str, remedy: str) -> Finding:
    return Finding(State.WRONG, says, remedy)


def unknown(says: str, remedy: str = "") -> Finding:
    return Finding(State.UNKNOWN, says, remedy)

"""Amounts and times on the wire: exact texts.

>>> optional(None), optional(1_002_500), average(3_000_100, 3)
(None, '100.25', '100.0033')
"""

from datetime import UTC, datetime
from typing import TypeVar

from domain.events.event import Timestamp
from domain.money import Money, Price, Quantity, divide_half_even, text

Dollars = TypeVar("Dollars", Money, Price)

_SECOND = 1_000_000
# The last second with its text: most times of a moment share them.
_written: tuple[int, str] = (-1, "")


def instant(at: Timestamp) -> str:
    """Write a time in RFC 3339, UTC, to the microsecond.

    >>> instant(1_700_000_000_000_001)
    '2023-11-14T22:13:20.000001Z'
    """
    global _written  # noqa: PLW0603 - one tuple, replaced whole: safe in any thread
    second, micros = divmod(at, _SECOND)
    known, written = _written
    if second != known:
        moment = datetime.fromtimestamp(second, UTC)
        written = moment.strftime("%Y-%m-%dT%H:%M:%S.")
        _written = (second, written)
    return f"{written}{micros:06d}Z"


def optional_instant(at: Timestamp | None) -> str | None:
    return None if at is None else instant(at)


def optional(amount: Money | Price | int | None) -> str | None:
    return None if amount is None else text(amount)


def average(total: Money, quantity: Quantity) -> str:
    """Write total / quantity, rounded half-even to 1/10,000 of a dollar."""
    return text(divide_half_even(total, quantity))


def ratio(part: Dollars, whole: Dollars) -> str:
    """Write part / whole to four decimals; `whole` is positive, `part` has a sign.

    >>> ratio(-5, 100)
    '-0.05'
    """
    size = divide_half_even(abs(part) * 10_000, whole)
    return text(size if part >= 0 else -size)

"""Numbers of a request: exact, and cheap to read whatever their size.

A number with a huge exponent is refused before any arithmetic: its integer would have
as many digits.
"""

import re
from decimal import Decimal

#: Digits before the point; more are beyond what the venue carries in any field.
DIGITS_MAX = 15
#: The form of a number in JSON. Python would also read underscores, blanks, words and
#: the digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,9})?")


class Number(Decimal):
    """An exact, finite number of a request. `number` is the only way to make one."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Equal numbers have equal text, by which an `Idempotency-Key` compares."""
        return f"Number({str(self.normalize())!r})"


def number(value: object) -> Number:
    """Read a number from a decoded value: an integer, or the text of a number.

    >>> number("1e3"), number("1000.0"), number(7)
    (Number('1E+3'), Number('1E+3'), Number('7'))

    Raises:
        ValueError: the value is neither.
    """
    if type(value) is int:
        return Number(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return Number(value)
    raise ValueError("Expected a number")

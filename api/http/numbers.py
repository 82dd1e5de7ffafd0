"""Exact numbers of a request. Reading one is cheap, whatever its size.

Callers check the exponent before any arithmetic: the integer of 1e999999999 would have
a billion digits.
"""

import re
from decimal import Decimal

#: At most this many digits before the point, in any field.
DIGITS_MAX = 15
#: A number as JSON writes it. `Decimal` would also accept underscores, blanks, words
#: and the digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,9})?")


class Number(Decimal):
    """An exact, finite number of a request. Only `number` creates one."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return equal texts for equal numbers: the digest of a command uses them."""
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

"""Exact numbers of a request. Reading one is cheap, whatever its size.

Callers check the exponent before any arithmetic: the integer of 1e999999999 would have
a billion digits.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

#: At most this many digits before the point, in any field.
DIGITS_MAX = 15
#: The longest text of a number. With more digits than `Decimal` keeps, or a power of
#: ten beyond these, arithmetic would round or overflow.
TEXT_MAX, EXACT_DIGITS_MAX, POWER_MAX = 1_000, 28, 1_000
#: A number as JSON writes it. `Decimal` would also accept underscores, blanks, words
#: and the digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,9})?")


class Number(Decimal):
    """An exact, finite number of a request. Only `number` creates one."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return equal texts for equal numbers: the digest of a command uses them."""
        _, digits, exponent = self.as_tuple()
        if len(digits) > EXACT_DIGITS_MAX or abs(self.adjusted()) > POWER_MAX:
            return f"Number({self._exact(digits, int(exponent))!r})"
        return f"Number({str(self.normalize())!r})"

    def _exact(self, digits: Sequence[int], exponent: int) -> str:
        text = "".join(map(str, digits))
        shortest = text.rstrip("0")
        power = exponent + len(text) - len(shortest)
        return f"{'-' if self.is_signed() else ''}{shortest}E{power}"


def number(value: object) -> Number:
    """Read a number from a decoded value: an integer, or the text of a number.

    >>> number("1e3"), number("1000.0"), number(7)
    (Number('1E+3'), Number('1E+3'), Number('7'))

    Raises:
        ValueError: the value is neither, or has over 1,000 characters.
    """
    if type(value) is int and abs(value) < 10**TEXT_MAX:
        return Number(value)
    if type(value) is str and len(value) <= TEXT_MAX and _NUMBER.fullmatch(value):
        return Number(value)
    raise ValueError("Expected a number")

"""How amounts of a request are read: exactly, and whatever their size, cheaply.

They arrive as `Number`, be it in a body or in a query. One with a huge exponent is
refused before any arithmetic, because its integer would have as many digits.

>>> price(Number("100.10"), "limit_price"), quantity(Number("10.0"), "qty")
(1001000, 10)
"""

import re
from decimal import Decimal

from api.refusals import BadParameter, NotSupportedYet
from domain.errors import AmountTooLarge
from domain.money import Price, Quantity

#: Digits before the point; more are beyond what the venue carries in any field.
DIGITS_MAX = 15
#: As JSON writes a number. Python alone takes underscores for one too, blanks, words
#: and the digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,9})?")


class Number(Decimal):
    """A number as a request gives it, exact and finite. A type of its own, so that
    every place that one can come from reads it through `number`."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Alike for equal numbers, however they are written: the content of a command
        that carries an `Idempotency-Key` is told by this."""
        return f"Number({str(self.normalize())!r})"


def number(value: object) -> Number:
    """A number, of what a decoder found: an integer, or the text of any other.

    >>> number("1e3"), number("1000.0"), number(7)
    (Number('1E+3'), Number('1E+3'), Number('7'))

    Raises:
        ValueError: it is neither.
    """
    if type(value) is int:
        return Number(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return Number(value)
    raise ValueError("Expected a number")


def price(value: Number, field: str) -> Price:
    """An amount of dollars, with at most four decimals."""
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is beyond what the venue carries", field=field)
    units = int(value.scaleb(4))
    # Compared unscaled, because scaling rounds what has very many digits.
    if Decimal(units).scaleb(-4) != value:
        raise BadParameter(f"{field} has more than four decimals", field)
    return units


money = price


def quantity(value: Number, field: str) -> Quantity:
    """A number of whole shares."""
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is beyond what the venue carries", field=field)
    whole = int(value)
    if whole != value:
        raise NotSupportedYet(f"fractional quantities ({field}) are", field)
    return whole


def fraction(value: Number, field: str) -> int:
    """A fraction of a price, as basis points: 0.10 is ten percent, 1000.

    >>> fraction(Number("0.10"), "collar")
    1000
    """
    if value < 0:
        raise BadParameter(f"{field} must be a fraction such as 0.10", field)
    if value >= 1:
        raise BadParameter(
            f"{field} must be less than 1: it is a fraction of the price, and 0.10 is "
            "ten percent",
            field,
        )
    points = int(value.scaleb(4))
    if Decimal(points).scaleb(-4) != value:
        raise BadParameter(f"{field} has more than four decimals", field)
    return points

"""The exact amounts of a request: prices, quantities and fractions of a price.

>>> price(Number("100.10"), "limit_price"), quantity(Number("10.0"), "qty")
(1001000, 10)
"""

from decimal import Decimal

from api.http.numbers import DIGITS_MAX, Number
from api.http.request_errors import BadParameter, NotSupportedYet
from domain.errors import AmountTooLarge
from domain.money import Money, Price, Quantity


def price(value: Number, field: str) -> Price:
    """Return an amount of dollars, which has at most four decimals."""
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is too large", field=field)
    units = int(value.scaleb(4))
    # Compare unscaled: `scaleb` rounds a number with very many digits.
    if Decimal(units).scaleb(-4) != value:
        raise BadParameter(f"{field} has more than four decimals", field)
    return Price(units)


def money(value: Number, field: str) -> Money:
    """Return an amount of dollars, which has at most four decimals."""
    return Money(int(price(value, field)))


def quantity(value: Number, field: str) -> Quantity:
    """Return a number of whole shares."""
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is too large", field=field)
    whole = int(value)
    if whole != value:
        raise NotSupportedYet(f"fractional quantities ({field}) are", field)
    return Quantity(whole)


def fraction(value: Number, field: str) -> int:
    """Return a fraction of a price in basis points: 0.10 is ten percent, 1000.

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

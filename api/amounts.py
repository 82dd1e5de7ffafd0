"""How amounts of a request are read: exactly, and whatever their size, cheaply.

JSON numbers and texts arrive as `Decimal`. One with a huge exponent is refused before
any arithmetic, because its integer would have as many digits.

>>> from decimal import Decimal
>>> price(Decimal("100.10"), "limit_price"), quantity(Decimal("10.0"), "qty")
(1001000, 10)
"""

from decimal import Decimal

from api.refusals import BadParameter, NotSupportedYet
from domain.errors import AmountTooLarge, InvalidOrder
from domain.money import Price, Quantity

#: Digits before the point; more are beyond what the venue carries in any field.
DIGITS_MAX = 15


def price(value: Decimal, field: str) -> Price:
    """An amount of dollars, with at most four decimals."""
    if not value.is_finite():
        raise BadParameter(f"{field} must be a number", field)
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is beyond what the venue carries", field=field)
    units = int(value.scaleb(4))
    # Compared unscaled, because scaling rounds what has very many digits.
    if Decimal(units).scaleb(-4) != value:
        raise InvalidOrder(f"{field} has more than four decimals", field=field)
    return units


money = price


def quantity(value: Decimal, field: str) -> Quantity:
    """A number of whole shares."""
    if not value.is_finite():
        raise BadParameter(f"{field} must be a number", field)
    if value.adjusted() >= DIGITS_MAX:
        raise AmountTooLarge(f"{field} is beyond what the venue carries", field=field)
    whole = int(value)
    if whole != value:
        raise NotSupportedYet(f"fractional quantities ({field}) are", field)
    return whole


def fraction(value: Decimal, field: str) -> int:
    """A fraction of a price, as basis points: 0.10 is ten percent, 1000.

    >>> fraction(Decimal("0.10"), "collar")
    1000
    """
    if not value.is_finite() or value < 0:
        raise BadParameter(f"{field} must be a fraction such as 0.10", field)
    if value >= 1:
        raise InvalidOrder(
            f"{field} must be less than 1: it is a fraction of the price, and 0.10 is "
            "ten percent",
            field=field,
        )
    points = int(value.scaleb(4))
    if Decimal(points).scaleb(-4) != value:
        raise InvalidOrder(f"{field} has more than four decimals", field=field)
    return points

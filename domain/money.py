"""Money, prices and quantities are integers.

One unit of money or price is 1/10,000 of a dollar, the precision US venues quote in.
Price times quantity is then exact: no rounding, no binary fractions.

>>> dollars("10.02") * 300
30060000
>>> text(30060000)
'3006'
>>> fee(1_000_050, basis_points=1)
100
"""

from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, overload

from domain.amounts import Money, Price, Quantity

A = TypeVar("A", Money, Price, Quantity)

NO_MONEY = Money(0)
NO_PRICE = Price(0)
NO_SHARES = Quantity(0)

#: Units in one dollar.
SCALE = 10_000
#: The maximum of one order or deposit; it also bounds price times quantity.
MONEY_MAX = Money(10**17)
QUANTITY_MAX = Quantity(10**9)
PRICE_MAX = Price(10**11)
BASIS_POINTS = 10_000


def dollars(amount: str | int | Decimal) -> Money:
    """Convert dollars to units of money, exactly.

    Raises:
        ValueError: the amount is not a finite number, or has more than four decimals.
    """
    try:
        scaled = Decimal(amount).scaleb(4)
        whole = int(scaled)
    except (InvalidOperation, OverflowError, ValueError) as reason:
        raise ValueError(f"{str(amount)[:40]!r} is not an amount") from reason
    if scaled != whole:
        raise ValueError(f"{str(amount)[:40]} has more than four decimals")
    return Money(whole)


def dollars_a_share(amount: str | int | Decimal) -> Price:
    """Convert dollars to a price, exactly. Raises ValueError as `dollars` does."""
    return Price(int(dollars(amount)))


def text(amount: Money | Price | int) -> str:
    """Format an amount in dollars, without trailing zeros: `10020000` is `'1002'`.

    A plain integer is a ratio, in 1/10,000.
    """
    whole, rest = divmod(abs(amount), SCALE)
    sign = "-" if amount < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:04d}".rstrip("0")


@overload
def divide_half_even(dividend: Money, divisor: Quantity) -> Price: ...
@overload
def divide_half_even(dividend: A, divisor: A) -> int: ...
@overload
def divide_half_even(dividend: A, divisor: int) -> A: ...
@overload
def divide_half_even(dividend: int, divisor: int) -> int: ...
def divide_half_even(dividend: Any, divisor: Any) -> Any:
    """Divide a non-negative amount, rounding half to even.

    >>> [divide_half_even(n, 10) for n in (24, 25, 26, 35)]
    [2, 2, 3, 4]
    """
    quotient, rest = divmod(dividend, divisor)
    if rest * 2 > divisor or (rest * 2 == divisor and quotient & 1):
        return quotient + 1
    return quotient


def fee(amount: Money, *, basis_points: int) -> Money:
    """Return the fee on one fill, rounded half-even to one unit (rule FEE-02)."""
    if not basis_points:
        return NO_MONEY
    return divide_half_even(amount * basis_points, BASIS_POINTS)


def fee_ceiling(price: Price, *, basis_points: int) -> Price:
    """Return the most that fees can add to one share bought at `price` (rule FEE-03).

    The fee is rounded up for each share. The rounded fees of an order's fills then
    never exceed the ceiling times the quantity, for any split into fills.
    """
    return -(-price * basis_points // BASIS_POINTS)

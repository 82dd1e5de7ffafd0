"""Amounts in dollars as a trader writes them, read without the product's help.

>>> read("1,001.50")
10015000
>>> written(10015000), written(1), written(-5000)
('1001.50', '0.0001', '-0.50')
"""

from decimal import Decimal, InvalidOperation

#: One unit is 1/10,000 of a dollar.
UNITS = 10_000


def read(word: str, *, units: int = UNITS) -> int:
    """Return an exact number of units.

    Raises:
        ValueError: the word is not a number, or it does not come to whole units.
    """
    try:
        exact = Decimal(word.replace(",", "")) * units
    except InvalidOperation as reason:
        raise ValueError(f"{word!r} is not a number") from reason
    if exact != int(exact):
        raise ValueError(f"{word!r} does not come to whole units")
    return int(exact)


def written(amount: int) -> str:
    """Return dollars with two decimals, or with four if they are needed."""
    whole, rest = divmod(abs(amount), UNITS)
    decimals = f"{rest:04}" if rest % 100 else f"{rest // 100:02}"
    return f"{'-' if amount < 0 else ''}{whole}.{decimals}"

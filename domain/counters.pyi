"""The arithmetic of log positions and trade ids, for the type checker only."""

from typing import Self

class _Counter(int):
    """A number of which the next one is the number plus 1."""

    def __add__(self, count: int, /) -> Self: ...
    def __sub__(self, count: int, /) -> Self: ...

class LogPosition(_Counter):
    """The place of a fact in the log, more than 0. The places have gaps."""

class TradeId(_Counter):
    """The number of a trade in its market, from 1 on."""

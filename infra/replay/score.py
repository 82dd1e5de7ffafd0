"""How well the exchange agreed with a recorded order flow, and where it did not."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from domain.ids import Symbol
from domain.money import Quantity, text
from infra.replay.orderflow import Entry, ExpectedFill, Ioc, Levels, Row, named
from infra.replay.venue import Way

#: Called with the number of lines that are done since the last call.
Progress: TypeAlias = Callable[[int], None]

#: The report quotes this many mismatches; it counts all of them.
QUOTED_MAX = 20


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a replay. `exact` says that everything agreed."""

    flow: str
    symbol: Symbol
    way: Way
    commands: int
    aggressive_orders: int
    aggressive_orders_exact: int
    fills: int
    fills_exact: int
    rows: int
    rows_exact: int
    refusals: int
    not_resting: int
    exact: bool
    seconds: float
    commands_per_second: int
    mismatches: list[str]


class Score:
    """Counts what agrees and keeps what does not."""

    def __init__(self) -> None:
        self.commands = 0
        self.aggressive_orders = 0
        self.aggressive_orders_exact = 0
        self.fills = 0
        self.fills_exact = 0
        self.rows = 0
        self.rows_exact = 0
        self.refusals = 0
        self.orders_not_resting = 0
        self._mismatches: list[tuple[int, str]] = []

    def fills_of(self, line: int, ioc: Ioc, fills: Sequence[ExpectedFill]) -> None:
        """Compare the fills of an aggressive order: makers, sizes, prices, order."""
        self.aggressive_orders += 1
        self.fills += len(ioc.fills)
        self.fills_exact += sum(
            here == there for here, there in zip(ioc.fills, fills, strict=False)
        )
        if tuple(fills) == ioc.fills:
            self.aggressive_orders_exact += 1
        else:
            self._note(
                line,
                f"fills should be {_fills(ioc.fills)}, but are {_fills(fills)}",
            )

    def row(self, line: int, row: Row, *, asks: Levels, bids: Levels) -> None:
        """Compare the best levels of the book, as many as the row has."""
        self.rows += 1
        if asks == row.asks and bids == row.bids:
            self.rows_exact += 1
            return
        self._note(
            line,
            f"asks should be {_levels(row.asks)}, but are {_levels(asks)}; "
            f"bids should be {_levels(row.bids)}, but are {_levels(bids)}",
        )

    def refusal(self, line: int, what: str) -> None:
        self.refusals += 1
        self._note(line, what)

    def not_resting(self, line: int, step: Entry, resting: Quantity) -> None:
        """Count an order that should rest whole, but matched or was canceled."""
        self.orders_not_resting += 1
        self._note(
            line, f"{named(step)} should rest with {step.size}, but {resting} rested"
        )

    def _note(self, line: int, mismatch: str) -> None:
        self._mismatches.append((line, mismatch))

    @property
    def mismatches(self) -> list[str]:
        """The first mismatches of the flow, by line."""
        first = sorted(self._mismatches)[:QUOTED_MAX]
        return [f"line {line}: {mismatch}" for line, mismatch in first]

    @property
    def exact(self) -> bool:
        return (
            self.aggressive_orders == self.aggressive_orders_exact
            and self.rows == self.rows_exact
            and not self.refusals
            and not self.orders_not_resting
        )

    def report(self, *, flow: str, symbol: Symbol, way: Way, seconds: float) -> Report:
        return Report(
            flow=flow,
            symbol=symbol,
            way=way,
            commands=self.commands,
            aggressive_orders=self.aggressive_orders,
            aggressive_orders_exact=self.aggressive_orders_exact,
            fills=self.fills,
            fills_exact=self.fills_exact,
            rows=self.rows,
            rows_exact=self.rows_exact,
            refusals=self.refusals,
            not_resting=self.orders_not_resting,
            exact=self.exact,
            seconds=round(seconds, 3),
            commands_per_second=round(self.commands / seconds) if seconds else 0,
            mismatches=self.mismatches,
        )


def _fills(fills: Sequence[ExpectedFill]) -> str:
    each = [f"{f.size} at {text(f.price)} of order {f.maker}" for f in fills]
    return f"[{', '.join(each)}]"


def _levels(levels: Levels) -> str:
    return f"[{', '.join(f'{size} at {text(price)}' for price, size in levels)}]"

"""What a benchmark answers with, and how all answers stand in one table."""

from collections.abc import Sequence

import msgspec

from benchmarks.latency import Latency

HEADINGS = (
    "question",
    "what",
    "measured",
    "beside, in the same run",
    "ratio",
    "target",
    "p50 / p99 / p99.9 ms",
    "rows per order",
    "notes",
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `beside` is what it is held against, measured in the same run."""

    what: str
    measured: str
    beside: str = ""
    ratio: float | None = None
    target: str = ""
    latency: Latency | None = None
    rows_per_order: float | None = None
    notes: str = ""

    def cells(self) -> list[str]:
        return [
            self.what,
            self.measured,
            self.beside,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.target,
            "" if self.latency is None else str(self.latency),
            "" if self.rows_per_order is None else f"{self.rows_per_order:.2f}",
            self.notes,
        ]


class Answered(msgspec.Struct, frozen=True):
    """The rows that one benchmark gave."""

    name: str
    rows: Sequence[Row]


def markdown(answers: Sequence[Answered]) -> str:
    """The table, readable as it is and as Markdown."""
    lines: list[list[str]] = [list(HEADINGS)]
    for each in answers:
        lines += [[each.name, *row.cells()] for row in each.rows]
    # Notes are sentences: they end the line and are not filled up.
    columns = list(zip(*lines, strict=True))[:-1]
    widths = [max(map(len, column)) for column in columns]
    lines.insert(1, ["-" * width for width in [*widths, len(HEADINGS[-1])]])
    return "".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    filled = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return f"| {' | '.join([*filled, cells[-1]])} |\n"

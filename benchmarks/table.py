"""The figures of the benchmarks, in one table."""

from collections.abc import Sequence

import msgspec

from benchmarks.latency import Latency

HEADINGS = (
    "question",
    "what",
    "measured",
    "compared with, in the same run",
    "ratio",
    "target",
    "p50 / p99 / p99.9 ms",
    "rows per order",
    "notes",
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `compared_with` is another figure of the same run."""

    what: str
    measured: str
    compared_with: str = ""
    ratio: float | None = None
    target: str = ""
    latency: Latency | None = None
    rows_per_order: float | None = None
    notes: str = ""

    def cells(self) -> list[str]:
        return [
            self.what,
            self.measured,
            self.compared_with,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.target,
            "" if self.latency is None else str(self.latency),
            "" if self.rows_per_order is None else f"{self.rows_per_order:.2f}",
            self.notes,
        ]


class Result(msgspec.Struct, frozen=True):
    """The rows of one benchmark."""

    name: str
    rows: Sequence[Row]


def markdown(answers: Sequence[Result]) -> str:
    """Return the table as Markdown with aligned columns."""
    lines: list[list[str]] = [list(HEADINGS)]
    for each in answers:
        lines += [[each.name, *row.cells()] for row in each.rows]
    # Notes end the line, so their column needs no padding.
    columns = list(zip(*lines, strict=True))[:-1]
    widths = [max(map(len, column)) for column in columns]
    lines.insert(1, ["-" * width for width in [*widths, len(HEADINGS[-1])]])
    return "".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return f"| {' | '.join([*padded, cells[-1]])} |\n"

"""The verdict on the new commit, and the table of all figures.

The new commit is worse if its median is more than 5 % higher and its lowest round is
above the highest round of the old commit. One of the two alone may be noise.
"""

from collections.abc import Sequence
from statistics import median

import msgspec

HIGHER = 1.05
ROUNDS_MIN = 5
HEADINGS = ("question", "part", "old", "new", "new / old", "verdict")


class Figure(msgspec.Struct):
    """One part of one question, with a sample of each commit from every round.

    Lower is better.
    """

    question: str
    part: str
    unit: str
    old: list[float] = msgspec.field(default_factory=list[float])
    new: list[float] = msgspec.field(default_factory=list[float])

    @property
    def ratio(self) -> float:
        """The new median divided by the old one."""
        old, new = median(self.old), median(self.new)
        if old:
            return new / old
        return float("inf") if new else 1.0

    @property
    def decided(self) -> bool:
        return min(len(self.old), len(self.new)) >= ROUNDS_MIN

    @property
    def worse(self) -> bool:
        return self.decided and self.ratio > HIGHER and min(self.new) > max(self.old)

    @property
    def verdict(self) -> str:
        if not self.decided:
            return "too few rounds"
        return "worse" if self.worse else "not worse"

    def cells(self) -> tuple[str, ...]:
        old, new = (_row(samples, self.unit) for samples in (self.old, self.new))
        ratio = f"{self.ratio:.3f}"
        return (self.question, self.part, old, new, ratio, self.verdict)


def _row(samples: Sequence[float], unit: str) -> str:
    low, middle, high = min(samples), median(samples), max(samples)
    return f"{middle:.2f} [{low:.2f}..{high:.2f}] {unit}".rstrip()


def table(figures: Sequence[Figure]) -> str:
    """Return all figures as lines of equal columns, readable as Markdown too."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        " | ".join(map(str.ljust, row, widths))
        for row in (rows[0], tuple("-" * width for width in widths), *rows[1:])
    ]
    return "".join(f"| {line} |\n" for line in lines)

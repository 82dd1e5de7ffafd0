"""Histograms in plain numbers: an observation costs a fraction of a microsecond."""

from bisect import bisect_left
from collections.abc import Sequence

#: Upper bounds, in seconds: a commit takes about 0.001, the longest wait 5.
SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
#: Upper bounds of a number of facts in one batch.
FACTS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)


class Histogram:
    """Counts of observed values by upper bound, and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = bounds
        # The last one counts what is above every bound.
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return for each upper bound how many values do not exceed it."""
        names = [*map(str, self._bounds), "+Inf"]
        count, rows = 0, list[tuple[str, float]]()
        for name, of_bound in zip(names, self._counts.copy(), strict=True):
            count += of_bound
            rows.append((name, count))
        return rows

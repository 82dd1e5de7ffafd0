"""Latencies as quantiles: the median, 99 % and 99.9 %."""

from collections.abc import Iterable

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """Quantiles in milliseconds.

    >>> str(Latency(1.0, 12.5, 130.0))
    '1.0 / 12.5 / 130'
    """

    p50: float
    p99: float
    p999: float

    def __str__(self) -> str:
        return " / ".join(map(_shown, (self.p50, self.p99, self.p999)))


def latency_of(seconds: Iterable[float]) -> Latency:
    """Return the quantiles of one or more measured times."""
    ordered = sorted(seconds)
    return Latency(*(_quantile(ordered, share) for share in (0.5, 0.99, 0.999)))


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:.1f}" if milliseconds < 100 else f"{milliseconds:.0f}"

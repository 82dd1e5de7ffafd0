"""Times in a query, and the two meanings of `after`.

In Alpaca's API `after` is a time; in Bourse it is also a log position. No time consists
of digits only, so a query may have both.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.request_errors import BadParameter
from api.read.door import (
    AnyRequest,
    ReadDoor,
    Reading,
    log_position,
    reading_after,
)
from domain.events.event import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment(text: str, field: str) -> Timestamp:
    """Read a time in RFC 3339, or a date; without a zone it is UTC.

    >>> moment("1970-01-02", "until"), moment("1970-01-01T00:00:01Z", "until")
    (86400000000, 1000000)
    """
    try:
        # An unescaped plus sign arrives as a blank.
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return (at - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise BadParameter(
            f"{field} must be a time like 2026-01-31T12:00:00Z", field
        ) from None


class Period(msgspec.Struct, frozen=True):
    """Two exclusive bounds of time, and the reading of the query."""

    reading: Reading
    after: Timestamp | None
    until: Timestamp | None


After = Annotated[
    str,
    QueryParameter(
        description="A time: only later items (exclusive). A log position is valid "
        "too, alone or in addition to a time: the query waits for it."
    ),
]
Until = Annotated[
    str, QueryParameter(description="A time: only earlier items (exclusive).")
]


def period_of(
    request: AnyRequest,
    read_door: NamedDependency[ReadDoor],
    after: After = "",
    until: Until = "",
) -> Period:
    """Return a period with the bounds of the query."""
    # A query may have `after` twice; the argument holds only the last one.
    values = request.query_params.getall("after", [after])
    times, positions = _apart([each for each in values if each])
    return Period(
        reading_after(
            request, read_door, max(map(log_position, positions), default=None)
        ),
        max((moment(each, "after") for each in times), default=None),
        moment(until, "until") if until else None,
    )


def _apart(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return times and log positions."""
    times = [each for each in values if not each.isdigit()]
    return times, [each for each in values if each.isdigit()]


PeriodDependency: TypeAlias = NamedDependency[Period]

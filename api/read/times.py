"""How times in a query are read, and how one `after` is told from the other.

In the queries that Alpaca's clients know, `after` is a time; in all of ours it is a log
position. No time is written in digits alone, so both can stand in one query.
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
    """A time in RFC 3339, or a date; without a zone it is UTC.

    >>> moment("1970-01-02", "until"), moment("1970-01-01T00:00:01Z", "until")
    (86400000000, 1000000)
    """
    try:
        # A plus sign that was not escaped arrives as a blank.
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return (found - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise BadParameter(
            f"{field} must be a time like 2026-01-31T12:00:00Z", field
        ) from None


class Period(msgspec.Struct, frozen=True):
    """Two exclusive bounds of time, and the query within them."""

    reading: Reading
    after: Timestamp | None
    until: Timestamp | None


After = Annotated[
    str,
    QueryParameter(
        description="A time: what came later (exclusive). A log position may stand "
        "here too, or beside it."
    ),
]
Until = Annotated[
    str, QueryParameter(description="A time: what came earlier (exclusive).")
]


def period_of(
    request: AnyRequest,
    read_door: NamedDependency[ReadDoor],
    after: After = "",
    until: Until = "",
) -> Period:
    """A query between two times."""
    # It may be given twice, and as an argument it is the last one only.
    given = request.query_params.getall("after", [after])
    times, positions = _apart([each for each in given if each])
    return Period(
        reading_after(
            request, read_door, max(map(log_position, positions), default=None)
        ),
        max((moment(each, "after") for each in times), default=None),
        moment(until, "until") if until else None,
    )


def _apart(given: Sequence[str]) -> tuple[list[str], list[str]]:
    times = [each for each in given if not each.isdigit()]
    return times, [each for each in given if each.isdigit()]


GivenPeriod: TypeAlias = NamedDependency[Period]

"""Times in a query: `after` and `until` bound the items of a listing."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.request_errors import BadParameter
from api.read.door import AnyRequest, ReadDoor, Reading, position_in, reading_after
from domain.events.event import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Of a number with as many digits: a date like 20260131, seconds, milliseconds.
DATE_DIGITS, SECONDS_DIGITS_MAX, MILLISECONDS_DIGITS_MAX = 8, 11, 14


def moment(text: str, field: str) -> Timestamp:
    """Read a time in RFC 3339, a date, or seconds or milliseconds since 1970.

    Without a zone the time is UTC.

    >>> moment("1970-01-02", "until"), moment("1970-01-01T00:00:01Z", "until")
    (86400000000, 1000000)
    >>> moment("1577836800", "after") == moment("1577836800000", "after")
    True
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) != DATE_DIGITS:
        if len(text) <= SECONDS_DIGITS_MAX:
            return int(text) * 1_000_000
        if len(text) <= MILLISECONDS_DIGITS_MAX:
            return int(text) * 1_000
    try:
        # An unescaped plus sign arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+"))
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return (at - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise BadParameter(
            f"{field} must be a time like 2026-01-31T12:00:00Z, a date, or seconds or "
            "milliseconds since 1970",
            field,
        ) from None


class Period(msgspec.Struct, frozen=True):
    """Two exclusive bounds of time, and the reading of the query."""

    reading: Reading
    after: Timestamp | None
    until: Timestamp | None


After = Annotated[
    str,
    QueryParameter(
        description="A time: only later items (exclusive). RFC 3339, a date, or "
        "seconds or milliseconds since 1970."
    ),
]
Until = Annotated[
    str,
    QueryParameter(
        description="A time: only earlier items (exclusive). RFC 3339, a date, or "
        "seconds or milliseconds since 1970."
    ),
]


def period_of(
    request: AnyRequest,
    read_door: NamedDependency[ReadDoor],
    after: After = "",
    until: Until = "",
) -> Period:
    """Return a period with the bounds of the query."""
    position = position_in(request.query_params, ["after_position"])
    return Period(
        reading_after(request, read_door, position),
        moment(after, "after") if after else None,
        moment(until, "until") if until else None,
    )


PeriodDependency: TypeAlias = NamedDependency[Period]

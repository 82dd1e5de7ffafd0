"""The venue's trading day, which rolls at midnight in the market's time zone."""

from datetime import UTC, datetime, time, timedelta, tzinfo

from domain.events.event import Timestamp

_SECOND = 1_000_000


def session_date(at: Timestamp, zone: tzinfo) -> str:
    """Return the date of the session at a time.

    >>> session_date(1_790_000_000_000_000, UTC)
    '2026-09-21'
    """
    return _local(at, zone).date().isoformat()


def next_roll(at: Timestamp, zone: tzinfo) -> Timestamp:
    """Return the next midnight in the market's time zone.

    >>> next_roll(1_790_000_000_000_000, UTC) // _SECOND % 86_400
    0
    """
    tomorrow = _local(at, zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time.min, zone)
    return int(midnight.timestamp()) * _SECOND


def _local(at: Timestamp, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at // _SECOND, UTC).astimezone(zone)

"""What a connection waits for, and for how long it may wait."""

from collections.abc import Mapping
from enum import Enum

from infra.http.bounds import Bounds


class Phase(Enum):
    """What a connection waits for."""

    NEW = "its first request"
    IDLE = "the next request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    ANSWERING = "the server"
    UNREAD = "the client to read"
    LINGERING = "the client to read a refusal"
    CLOSING = "the client to read the last answer"


def time_limits(bounds: Bounds) -> Mapping[Phase, float]:
    """Return how many seconds a connection may be in each phase."""
    return {
        Phase.NEW: bounds.head_seconds,
        Phase.IDLE: bounds.idle_seconds,
        Phase.HEAD: bounds.head_seconds,
        Phase.BODY: bounds.body_seconds,
        Phase.ANSWERING: float("inf"),
        Phase.UNREAD: bounds.unread_seconds,
        Phase.LINGERING: bounds.linger_seconds,
        Phase.CLOSING: bounds.unread_seconds,
    }

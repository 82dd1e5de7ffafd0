"""The bounds of the HTTP server. Operators choose those of connections by settings."""

import resource

import msgspec

from infra.runtime.address_ranges import AddressRanges
from infra.runtime.settings import Settings

#: Files that the server needs besides those of its clients: Postgres, Redis, child
#: processes, and clients that read a refusal.
RESERVED_FILES = 128
#: More connections than this are a choice of the operator.
CONNECTIONS_DEFAULT = 4_096
CONNECTIONS_MIN = 16


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much one client, and all of them, may use up."""

    connections: int
    #: For each address except the unlimited ones.
    connections_per_address: int
    #: Requests that the server answers at the same time, for each such address.
    requests_per_address: int
    unlimited: AddressRanges
    #: A request whose body is longer ends its connection.
    body_bytes: int
    #: The target of a request, and each header.
    line_bytes: int = 8_192
    #: The request line and all headers.
    head_bytes: int = 65_536
    #: From the first byte of a head, or from the connection, to the end of the head.
    head_seconds: float = 20.0
    #: From the end of the head to the end of the body.
    body_seconds: float = 60.0
    #: How long an answer may wait for a client that does not read.
    unread_seconds: float = 30.0
    #: Between two requests. HTTP clients keep an idle connection for less, so none ends
    #: under a request.
    idle_seconds: float = 75.0
    #: How long, and for how many bytes, the server reads on after a refusal. Closing at
    #: once would destroy the refusal on its way.
    linger_seconds: float = 2.0
    linger_bytes: int = 4_194_304
    #: From one look at all connections to the next.
    look_seconds: float = 1.0


def raise_file_limit() -> int:
    """Raise the limit of open files as far as the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS names no hard limit and still refuses one above the kernel's.
        return soft
    return hard


def bounds_of(settings: Settings, file_limit: int) -> Bounds:
    """Return the bounds by these settings, in a process with this limit of files.

    No address has more than half of all connections, unless it is unlimited.
    """
    connections = settings.connections or CONNECTIONS_DEFAULT
    if file_limit != resource.RLIM_INFINITY:
        possible = max(CONNECTIONS_MIN, file_limit - RESERVED_FILES)
        connections = min(connections, possible)
    return Bounds(
        connections=connections,
        connections_per_address=min(
            settings.connections_per_address, max(1, connections // 2)
        ),
        requests_per_address=settings.requests_per_address,
        unlimited=settings.unlimited_addresses,
        body_bytes=settings.body_limit,
    )

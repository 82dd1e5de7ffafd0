"""All connections of the server: who may have one, and the look at each of them.

One timer looks at all connections in turn. A timer for each request would cost more
than the rest of these bounds.
"""

import asyncio
from collections import Counter
from typing import Protocol

import structlog

from api.http.request_errors import ServerFull, TooManyConnections
from domain.errors import DomainError
from infra.http.bounds import Bounds

#: Refused clients that may read their refusal at the same time. The server cuts off
#: further ones without a word.
LINGERING_MAX = 32

_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """A connection, as the register knows it."""

    def look(self, now: float) -> None:
        """End the connection if it is over a bound of time."""
        ...


class Connections:
    """The register of all connections."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._open: set[Connection] = set()
        self._addresses: dict[Connection, str] = {}
        self._by_address: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._looking = False

    def enter(self, connection: Connection, address: str) -> DomainError | None:
        """Admit a connection, or return the refusal. Both must leave."""
        self._open.add(connection)
        if not self._looking:
            self._looking = True
            self._look_later()
        refusal = self._refusal(address)
        if refusal is None:
            self._addresses[connection] = address
            self._by_address[address] += 1
        return refusal

    def _refusal(self, address: str) -> DomainError | None:
        bounds = self.bounds
        if len(self._addresses) >= bounds.connections:
            return ServerFull()
        limit = bounds.connections_per_address
        if self._by_address[address] < limit or address in bounds.unlimited:
            return None
        return TooManyConnections(limit)

    def leave(self, connection: Connection) -> None:
        self._open.discard(connection)
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def may_linger(self) -> bool:
        """Return whether another refused client may stay to read its refusal."""
        return len(self._open) - len(self._addresses) <= LINGERING_MAX

    def note_refusal(self, reason: str) -> None:
        """Count a refusal for the log."""
        self._refusals[reason] += 1

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(self.bounds.look_seconds, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for each in tuple(self._open):
            each.look(now)
        if self._refusals:
            # One line for all of a second: a line each would be a way to fill disks.
            _log.warning("http_refusals", **self._refusals)
            self._refusals.clear()
        self._looking = bool(self._open)
        if self._looking:
            self._look_later()

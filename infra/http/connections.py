"""All connections of the server: who may have one, and the look at each of them.

One timer looks at all connections in turn. A timer for each request would cost more
than the rest of these bounds.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from api.http.request_errors import ServerFull, TooManyConnections
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


class Peer:
    """One address: its connections, and its requests that the server answers now.

    Further requests wait for their turn, oldest first. They wait here and not on the
    event loop, where every client would wait for them.
    """

    def __init__(self, requests: int, forget: Callable[[], object]) -> None:
        self.connections = 0
        self._requests = requests
        self._room = requests
        #: Called when it has neither connections nor requests.
        self._forget = forget
        self._waiting: deque[Callable[[], bool]] = deque()

    def begin(self, start: Callable[[], bool]) -> None:
        """Call `start` now or later. It returns whether a request began."""
        if self._room:
            self._room -= start()
        else:
            self._waiting.append(start)

    def end(self) -> None:
        """End a request that began, and let the next one begin."""
        self._room += 1
        while self._room and self._waiting:
            self._room -= self._waiting.popleft()()
        self._forget_if_gone()

    def leave(self) -> None:
        """End a connection. Its request may go on, and counts until it ends."""
        self.connections -= 1
        self._forget_if_gone()

    def _forget_if_gone(self) -> None:
        if not self.connections and self._room == self._requests:
            self._forget()


class Connections:
    """The register of all connections."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._open: set[Connection] = set()
        self._admitted: dict[Connection, str] = {}
        self._peers: dict[str, Peer] = {}
        self._refusals: Counter[str] = Counter()
        self._looking = False

    def enter(self, connection: Connection, address: str) -> Peer | None:
        """Admit a connection; return its peer, or None if its address is unlimited.

        An open connection must leave, even if this refuses it.

        Raises:
            ServerFull, TooManyConnections
        """
        self._open.add(connection)
        if not self._looking:
            self._looking = True
            self._look_later()
        bounds = self.bounds
        if len(self._admitted) >= bounds.connections:
            raise ServerFull
        if address in bounds.unlimited:
            self._admitted[connection] = address
            return None
        peer = self._peers.get(address) or Peer(
            bounds.requests_per_address, partial(self._peers.pop, address, None)
        )
        if peer.connections >= bounds.connections_per_address:
            raise TooManyConnections(bounds.connections_per_address)
        peer.connections += 1
        self._peers[address] = peer
        self._admitted[connection] = address
        return peer

    def leave(self, connection: Connection) -> None:
        self._open.discard(connection)
        address = self._admitted.pop(connection, "")
        peer = self._peers.get(address)
        if peer is not None:
            peer.leave()

    def may_linger(self) -> bool:
        """Return whether another refused client may stay to read its refusal."""
        return len(self._open) - len(self._admitted) <= LINGERING_MAX

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

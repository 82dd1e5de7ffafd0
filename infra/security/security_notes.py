"""Notes the refusals of a server without delaying any request.

`note` only puts a refusal into a short queue. A task hands the queue to the outbox, and
retries while Postgres is away. The log's limit on the rate applies here too (USER-04),
so a flood costs only a counter.
"""

import asyncio
from collections import deque
from time import monotonic

import structlog

from commands.ports import SecurityOutbox
from domain.accounts.user import SECURITY_FACTS_PER_MINUTE
from domain.errors import BadCredentials
from domain.events.security import LoginFailed, SecurityRefusal

#: How long to resend a note while the outbox does not answer. The outbox remembers a
#: handled note for longer.
PATIENCE_SECONDS = 300.0
_MINUTE = 60_000_000

_log = structlog.get_logger(__name__)


class QueuedSecurityNotes:
    """A `SecurityNotes` for the requests of one event loop."""

    def __init__(self, outbox: SecurityOutbox) -> None:
        self._outbox = outbox
        self._queue: deque[tuple[float, SecurityRefusal]] = deque()
        self._arrived = asyncio.Event()
        self._minute = 0
        self._noted = 0

    def note(self, refusal: SecurityRefusal) -> None:
        minute = refusal.meta.at // _MINUTE
        if minute > self._minute:
            self._minute, self._noted = minute, 0
        self._noted += 1
        if self._noted <= SECURITY_FACTS_PER_MINUTE:
            _log_refusal(refusal)
            self._queue.append((monotonic(), refusal))
            self._arrived.set()
        elif self._noted == SECURITY_FACTS_PER_MINUTE + 1:
            _log.warning("security_notes_dropped", until="the next minute")

    async def keep_handing_over(self) -> None:
        """Hand over notes as they arrive, while the server runs.

        Raises:
            LogUnavailable: the outbox does not answer; call this again.
        """
        while True:
            await self._arrived.wait()
            await self.hand_over()

    async def hand_over(self) -> None:
        """Hand over all present notes. Raises LogUnavailable."""
        oldest = monotonic() - PATIENCE_SECONDS
        while self._queue and self._queue[0][0] < oldest:
            self._queue.popleft()
        notes = [refusal for _, refusal in self._queue]
        if notes:
            await asyncio.to_thread(self._outbox.add, notes)
        for _ in notes:
            self._queue.popleft()
        if not self._queue:
            self._arrived.clear()


def _log_refusal(refusal: SecurityRefusal) -> None:
    """Log a refusal. The address of a failed login is there as its keyed hash only."""
    log = _log.bind(correlation_id=refusal.meta.correlation_id)
    if isinstance(refusal, LoginFailed):
        reason = BadCredentials.code
        log.warning("login_failed", reason=reason, claim=refusal.claim)
    else:
        actor = refusal.meta.actor
        log.warning("access_refused", user_id=actor, route=refusal.route)

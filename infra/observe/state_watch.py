"""Watches the state of a server and logs each change of it, once.

    lead         leading, lead_lost, lead_returned, standing_by, recovering
    Postgres     postgres_down, postgres_up
    Redis        redis_down, redis_up
    read models  views_unavailable, views_refilled, views_stale, views_current
    queues       queue_full, queue_has_room

The watch looks once a second, and at once after it heard of a loss. Every health check
shows it a look, too. What it saw last is what `/metrics` shows, so a scrape asks
neither Postgres nor Redis.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import TypeAlias

import msgspec
import structlog

from commands.writer.leadership import WriterState
from domain.ids import LogPosition
from infra.observe.commits import Commits

LOOK_SECONDS = 1.0
#: A read model is stale if it did not reach in this time what was then the log's head.
STALE_SECONDS = 5.0
POSTGRES, REDIS = "postgres", "redis"
NO_ANSWER = "no answer in time"
UNKNOWN_LOSS = "the lease or its heartbeat was lost"

_log = structlog.get_logger(__name__)


class Look(msgspec.Struct, frozen=True):
    """What the server sees of its parts; None for a store that does not answer.

    The position of a read model is None while it is being filled. `reasons` has, by
    store, why it does not answer.
    """

    head: LogPosition | None
    positions: Mapping[str, LogPosition | None] | None
    reasons: Mapping[str, str] = {}


#: Returns a look within about two seconds, whatever hangs.
AskLook: TypeAlias = Callable[[], Awaitable[Look]]


class StateWatch:
    """The state of one server, as last seen. All methods run on its event loop."""

    def __init__(
        self,
        look: AskLook,
        *,
        commits: Commits,
        full: Mapping[str, int],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.newest = Look(None, None)
        self.role = WriterState.RECOVERING
        self.leads = 0
        #: How often each store answered again after an outage.
        self.reconnects: Counter[str] = Counter({POSTGRES: 0, REDIS: 0})
        self._look = look
        self._commits = commits
        self._full = full
        self._now = now
        self._down_since: dict[str, float] = {}
        self._missing: frozenset[str] | None = None
        self._behind: dict[str, tuple[LogPosition, float]] = {}
        self._stale: frozenset[str] = frozenset()
        self._full_at: dict[str, int] = {}
        self._seen_full: Counter[str] = Counter()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Look again and again, while the server runs."""
        while True:
            self._wake.clear()
            self.see(await self._look())
            self.see_queues()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    # --- the lead ---

    def became(
        self, state: WriterState, *, position: LogPosition, stopping: bool
    ) -> None:
        """Log that the writer changed its state."""
        before, self.role = self.role, state
        if state is WriterState.LEADER:
            self.leads += 1
            self._commits.reason = ""
            _log.info("leading", log_position=position)
        elif before is WriterState.LEADER and stopping:
            _log.info("lead_returned")
        elif before is WriterState.LEADER:
            _log.error("lead_lost", reason=self._commits.reason or UNKNOWN_LOSS)
            # Postgres may be down: ask now, before it is up again.
            self._wake.set()
        elif stopping:
            return
        elif state is WriterState.STANDBY:
            reason = "another server leads, or Postgres does not answer"
            _log.info("standing_by", reason=reason)
        else:
            _log.info("recovering")

    # --- stores and read models ---

    def see(self, look: Look) -> None:
        """Compare a look with what was seen before; log what changed."""
        self.newest = look
        for store, answer in ((POSTGRES, look.head), (REDIS, look.positions)):
            reason = look.reasons.get(store, NO_ANSWER)
            self._reached(store, answer is not None, reason)
        if look.head is not None and look.positions is not None:
            self._see_missing(look.positions)
            self._see_stale(look.head, look.positions)
        else:
            # The projector waits for that store, too.
            self._behind.clear()

    def redis_reached(self, is_up: bool, reason: str) -> None:
        """Note that Redis answers or not; a broken subscription shows it at once."""
        self._reached(REDIS, is_up, reason)

    def _reached(self, store: str, is_up: bool, reason: str) -> None:
        since = self._down_since.get(store)
        if is_up and since is not None:
            del self._down_since[store]
            self.reconnects[store] += 1
            _log.info(f"{store}_up", down_seconds=round(self._now() - since, 1))
        elif not is_up and since is None:
            self._down_since[store] = self._now()
            _log.error(f"{store}_down", reason=reason)

    def _see_missing(self, positions: Mapping[str, LogPosition | None]) -> None:
        missing = frozenset(name for name, each in positions.items() if each is None)
        # The first look only shows what is there.
        before = missing if self._missing is None else self._missing
        self._missing = missing
        if gone := missing - before:
            _log.warning("views_unavailable", views=sorted(gone))
        if filled := before - missing:
            _log.info("views_refilled", views=sorted(filled))

    def _see_stale(
        self, head: LogPosition, positions: Mapping[str, LogPosition | None]
    ) -> None:
        now = self._now()
        stale: set[str] = set()
        for name, position in positions.items():
            wanted, since = self._behind.get(name, (head, now))
            if position is None or position >= wanted:
                self._behind[name] = (head, now)
            elif now - since >= STALE_SECONDS:
                stale.add(name)
            else:
                self._behind[name] = (wanted, since)
        before, self._stale = self._stale, frozenset(stale)
        if newly := self._stale - before:
            lag = {name: head - (positions[name] or 0) for name in sorted(newly)}
            _log.warning("views_stale", lag=lag)
        if current := before - self._stale:
            _log.info("views_current", views=sorted(current))

    # --- queues ---

    def see_queues(self) -> None:
        """Log that a queue was full since the last call, or that it was not any more.

        A call a second logs at most one change a second.
        """
        for queue, count in list(self._full.items()):
            before = self._seen_full[queue]
            self._seen_full[queue] = count
            if count > before and queue not in self._full_at:
                self._full_at[queue] = before
                _log.warning("queue_full", queue=queue)
            elif count == before and queue in self._full_at:
                refused = count - self._full_at.pop(queue)
                _log.info("queue_has_room", queue=queue, requests_refused=refused)

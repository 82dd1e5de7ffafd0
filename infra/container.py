"""The composition root: connects each port of one server with its adapter."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from api.health import ClockStep, Readiness
from api.services import Services
from commands.ports import LogUnavailable
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.clock_log import seconds_of
from domain.ids import LogPosition
from infra.log.event_store import PostgresEventStore
from infra.log.snapshots import PostgresSnapshotStore
from infra.observe.commits import first_line
from infra.observe.instruments import Instruments
from infra.observe.state_watch import POSTGRES, REDIS, Look
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers
from infra.runtime.line_writer import LineWriter
from infra.runtime.probe import Probe
from infra.runtime.settings import Settings
from infra.security.credentials import PostgresCredentials
from infra.security.installation_secret import installation_keys
from infra.security.passwords import Argon2Hasher
from infra.security.personal_data import PostgresKeyTable, Vault
from infra.security.security_notes import QueuedSecurityNotes
from infra.security.security_outbox import PostgresSecurityOutbox
from infra.security.tokens import SignedTokens
from infra.views.applied_positions import RedisAppliedPositions
from infra.views.homes import HomedViews
from infra.views.postgres_views import PostgresViews
from infra.views.redis_store import RedisViews
from projections.store import Home, StoreDown

OK, DOWN = "ok", "down"
#: How long a health check waits for Postgres and for Redis, at the same time.
PROBE_SECONDS = 1.5


class Container:
    """All adapters of one server, on one log and one Redis."""

    def __init__(
        self,
        settings: Settings,
        database_url: str,
        redis_url: str,
        *,
        lines: LineWriter | None = None,
    ) -> None:
        self.store = PostgresEventStore(database_url)
        datastore = self.store.datastore
        self.snapshots = PostgresSnapshotStore(datastore)
        keys = installation_keys(datastore, settings.secret_key)
        self.credentials = PostgresCredentials(datastore)
        self.security_outbox = PostgresSecurityOutbox(datastore)
        self.security_notes = QueuedSecurityNotes(self.security_outbox)
        self.vault = Vault(PostgresKeyTable(datastore), keys)
        self.clock = SystemClock()
        self.identifiers = Identifiers(self.clock)
        self.passwords = Argon2Hasher()
        instruments = Instruments(settings, lines, now=self.clock.now, look=self._look)
        self.requests, self.watch = instruments.requests, instruments.watch
        self.writer = Writer(
            instruments.observed(self.store),
            self.snapshots,
            clock=self.clock,
            queue_limit=settings.queue_limit,
            on_state=self._on_state,
            on_newest=self.clock.not_before,
        )
        self.metrics = instruments.metrics(self.writer)
        self.views = HomedViews(
            {
                Home.LIVE: RedisViews(redis_url),
                Home.HISTORY: PostgresViews(database_url),
            }
        )
        self.applied = RedisAppliedPositions(
            redis_url, self.views.homes, on_reached=self.watch.redis_reached
        )
        self._reasons: dict[str, str] = {}
        self._log_head = Probe(self._head, seconds=PROBE_SECONDS)
        self._applied = Probe(self._positions, seconds=PROBE_SECONDS)
        #: Whether the server wrote its run file, after the demonstration's accounts.
        self.is_announced = False
        tokens = SignedTokens(keys.token_key(), minutes=settings.token_minutes)
        self.services = self._services(settings, tokens)

    def _services(self, settings: Settings, tokens: SignedTokens) -> Services:
        return Services(
            port=self.writer,
            views=self.views,
            applied=self.applied,
            clock=self.clock,
            new_id=self.identifiers.new,
            credentials=self.credentials,
            security_notes=self.security_notes,
            vault=self.vault,
            passwords=self.passwords,
            tokens=tokens,
            readiness=self.readiness,
            head=self._log_head.ask,
            metrics=self.metrics.page,
            metrics_token=settings.metrics_token,
            observe=self.requests.observe,
            market_timezone=settings.market_timezone,
            body_limit=settings.body_limit,
        )

    async def readiness(self) -> Readiness:
        """Report whether the server is usable.

        It must be able to serve, and its run file must be there.
        """
        state = await self.capacity()
        return msgspec.structs.replace(state, ready=state.ready and self.is_announced)

    async def capacity(self) -> Readiness:
        """Report whether the server can serve.

        The log must answer, all views must be live, and the writer must lead or stand
        by.
        """
        look = await self._look()
        self.watch.see(look)
        return self.capacity_seen()

    def capacity_seen(self) -> Readiness:
        """Report the same, as the watch saw it last."""
        head, positions = self.watch.newest.head, self.watch.newest.positions
        state = self.writer.state
        decided = state in (WriterState.LEADER, WriterState.STANDBY)
        live = positions is not None and None not in positions.values()
        return Readiness(
            ready=decided and live and head is not None,
            role=state,
            dependencies={
                "postgres": DOWN if head is None else OK,
                "redis": DOWN if positions is None else OK,
            },
            lag=_lags(positions or {}, head),
            clock=_clock_step(self.clock),
        )

    async def _look(self) -> Look:
        head, positions = await asyncio.gather(
            self._log_head.ask(), self._applied.ask()
        )
        return Look(head, positions, self._reasons.copy())

    def _on_state(self, state: WriterState) -> None:
        writer = self.writer
        position = writer.exchange.position
        self.watch.became(state, position=position, stopping=writer.stopping)

    async def _head(self) -> LogPosition | None:
        self._reasons.pop(POSTGRES, None)
        try:
            return await asyncio.to_thread(self.store.reader.head)
        except LogUnavailable as reason:
            self._reasons[POSTGRES] = first_line(reason)
            return None

    async def _positions(self) -> dict[str, LogPosition | None] | None:
        self._reasons.pop(REDIS, None)
        try:
            return await self.applied.positions()
        except StoreDown as reason:
            self._reasons[REDIS] = first_line(reason)
            return None

    async def close(self) -> None:
        with suppress(LogUnavailable):
            await self.security_notes.hand_over()
        self.requests.hand_over()
        await self.applied.close()
        await self.views.close()
        await asyncio.to_thread(self.store.close)


def _clock_step(clock: SystemClock) -> ClockStep | None:
    step = clock.step()
    return None if step is None else ClockStep(seconds_of(step))


def _lags(
    positions: Mapping[str, LogPosition | None], head: LogPosition | None
) -> dict[str, int | None]:
    return {
        name: None if position is None or head is None else max(0, head - position)
        for name, position in positions.items()
    }

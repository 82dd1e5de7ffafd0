"""What happens by the clock: it submits timed commands through the writer.

What is due follows from the state alone (a market whose session date is past), so that
a command is carried out once, whatever crashes in between and however long nobody ran.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

import structlog

from commands.messages import RollDay
from commands.ports import Clock
from commands.writer import Role, Writer
from domain.errors import Unavailable
from domain.events import Meta, Timestamp
from domain.ids import SYSTEM

TICK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


def session_date(at: Timestamp, zone: tzinfo) -> str:
    """The date of the session that a moment belongs to, in the market's time zone.

    >>> session_date(1_790_000_000_000_000, UTC)
    '2026-09-21'
    """
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    return moment.astimezone(zone).date().isoformat()


class Scheduler:
    """Rolls the day of every market at midnight in the market's time zone."""

    def __init__(
        self, writer: Writer, *, clock: Clock, new_id: Callable[[], str], zone: tzinfo
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.new_id = new_id
        self.zone = zone

    async def run(self) -> None:
        """Look once a second, for as long as the server runs."""
        while True:
            if self.writer.role is Role.LEADER:
                await self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        """Submit everything that is due now."""
        now = self.clock.now()
        today = session_date(now, self.zone)
        markets = self.writer.exchange.markets
        due = [s for s, market in markets.items() if market.session_date < today]
        for symbol in due:
            command = RollDay(Meta(now, SYSTEM, self.new_id()), symbol, today)
            try:
                await self.writer.execute(command)
            except Unavailable as reason:
                # It is still due at the next look.
                _log.warning("day_roll_waits", symbol=symbol, reason=reason.code)
                return
            _log.info("day_rolled", symbol=symbol, session_date=today)

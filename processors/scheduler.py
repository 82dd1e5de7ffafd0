"""What happens by the clock: it submits timed commands through the writer.

What is due follows from the state alone (a market whose session date is past), so that
a command is carried out once, whatever crashes in between and however long nobody ran.
"""

import asyncio
from collections.abc import Callable
from datetime import tzinfo

import structlog

from commands.messages import RollDay
from commands.ports import Clock
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.errors import Unavailable
from domain.events.event import Meta
from domain.ids import SYSTEM
from domain.market.trading_day import next_roll, session_date

#: How often it is looked whether something is due that was not foreseen: another
#: server led until now, or nobody did at midnight.
LOOK_SECONDS = 0.1

_log = structlog.get_logger(__name__)


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
        """Look at each midnight and now and then, for as long as the server runs."""
        while True:
            if self.writer.state is WriterState.LEADER:
                await self.tick()
            await asyncio.sleep(min(LOOK_SECONDS, self._seconds_to_midnight()))

    def _seconds_to_midnight(self) -> float:
        now = self.clock.now()
        return (next_roll(now, self.zone) - now) / 1_000_000

    async def tick(self) -> None:
        """Submit everything that is due now, all at once: no order comes in between
        that would belong to a session which is over."""
        now = self.clock.now()
        today = session_date(now, self.zone)
        markets = self.writer.exchange.markets
        due = [s for s, market in markets.items() if market.session_date < today]
        try:
            rolls = [
                self.writer.submit(RollDay(Meta(now, SYSTEM, self.new_id()), s, today))
                for s in due
            ]
            for roll in rolls:
                await roll.answer()
        except Unavailable as reason:
            # What is not rolled is still due at the next look.
            _log.warning("day_roll_waits", reason=reason.code)
            return
        if due:
            _log.info("day_rolled", session_date=today, symbols=due)

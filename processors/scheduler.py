"""The scheduler: submits timed commands through the writer.

The state alone decides what is due: a market is due if its session date is past. So
each roll happens once, despite crashes and however long no server ran. While the
system's clock shows a step that nobody has confirmed, nothing is due (rule DAY-03).
"""

import asyncio
from datetime import tzinfo

import structlog

from commands.handlers.slices import ENDED_MAX
from commands.messages import RollDay
from commands.ports import NewId, WatchedClock
from commands.writer.batch import Pending
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.clock_log import STEP_MAX, seconds_of
from domain.errors import Unavailable
from domain.events.event import Meta
from domain.ids import SYSTEM
from domain.market.trading_day import next_roll, session_date

#: The interval of the check for unforeseen work: another server led until now, or no
#: server led at midnight.
LOOK_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class Scheduler:
    """Rolls the day of every market at midnight in the configured time zone."""

    def __init__(
        self, writer: Writer, *, clock: WatchedClock, new_id: NewId, zone: tzinfo
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.new_id = new_id
        self.zone = zone
        self._step: int | None = None
        self._waits_for = ""

    async def run(self) -> None:
        """Check for due work at each midnight and at a short interval, forever."""
        while True:
            self.watch()
            if self.writer.state is WriterState.LEADER:
                await self.tick()
            await asyncio.sleep(min(LOOK_SECONDS, self._seconds_to_midnight()))

    def _seconds_to_midnight(self) -> float:
        now = self.clock.now()
        return (next_roll(now, self.zone) - now) / 1_000_000

    def watch(self) -> None:
        """Log each change of the clock's step once."""
        step, before = self.clock.step(), self._step
        if step is None:
            if before is not None:
                _log.info("clock_agrees")
        elif before is not None and abs(step - before) <= STEP_MAX:
            # The same step, which an operator has begun to mend.
            return
        else:
            seconds = seconds_of(step)
            _log.error(
                "clock_stepped",
                ahead_seconds=seconds,
                remedy="no day rolls: set the clock right, or confirm it with "
                f"bourse admin confirm-clock --ahead {seconds}",
            )
        self._step = step

    async def tick(self) -> None:
        """Submit all day rolls that are due, without a pause between them.

        So no order can reach a session that is over. A market whose roll goes in slices
        takes no orders meanwhile.
        """
        if self.clock.step() is not None:
            return
        now = self.clock.now()
        today = session_date(now, self.zone)
        markets = self.writer.exchange.markets
        due = [
            symbol
            for symbol, market in markets.items()
            if market.session_date < today and market.roll is None
        ]
        # All rolls of this turn together end no more orders than one command may.
        room = ENDED_MAX
        rolls: list[Pending] = []
        try:
            for symbol in due:
                resting = len(markets[symbol].book.orders)
                in_slices = resting > room
                room -= 0 if in_slices else resting
                meta = Meta(now, SYSTEM, self.new_id())
                roll = RollDay(meta, symbol, today, in_slices=in_slices)
                rolls.append(self.writer.submit(roll))
            for roll in rolls:
                await roll.answer()
        except Unavailable as reason:
            # A market without its roll is still due at the next check.
            if reason.code != self._waits_for:
                _log.warning("day_roll_waits", reason=reason.code)
            self._waits_for = reason.code
            return
        self._waits_for = ""
        if due:
            _log.info("day_rolled", session_date=today, symbols=due)

"""The handler that records confirmed steps of the system's clock."""

from commands.messages import ConfirmClock
from commands.state.exchange import Exchange
from domain.clock_log import CLOCK_STREAM, ClockLog, check_step


def confirm_clock(exchange: Exchange, command: ConfirmClock) -> None:
    """Record that an administrator confirmed a step of the clock (rule DAY-04).

    Raises:
        UnknownClockStep: the clock shows another step, or none.
    """
    check_step(command.shown, command.step)
    log = exchange.aggregate(CLOCK_STREAM)
    assert isinstance(log, ClockLog)
    log.confirm(command.shown, meta=command.meta)

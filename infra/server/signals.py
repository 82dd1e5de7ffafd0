"""How a server hears that it is to end: by a signal, at any moment of its life.

Asked once, it ends in an orderly way. While it starts, that is noted and no more,
because a start that is broken off half way leaves servers behind that nobody knows of.
Asked again, when an orderly end has had its time, it breaks off.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

#: How long an orderly end is given before a second signal breaks it off. Whoever
#: presses Ctrl-C twice in a row means one end.
ORDERLY_SECONDS = 10.0
BROKEN_OFF = 1

_log = structlog.get_logger(__name__)


class StopSignals:
    """Listens for the signals that ask for the end, with an event loop or without."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._signals = [signal.SIGINT, signal.SIGTERM]
        # Whoever ignores the end of the terminal, as nohup does, goes on doing so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._signals.append(signal.SIGHUP)
        self.listen()

    def listen(self) -> None:
        """Hear them without an event loop: before there is one, and after it."""
        for number in self._signals:
            signal.signal(number, self._note)

    def listen_in(
        self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None]
    ) -> None:
        """Hear them on the loop, and `begin` to end: at once, if that was asked for."""
        for number in self._signals:
            loop.add_signal_handler(number, self._asked, begin)
        if self._asked_at is not None:
            begin()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked(lambda: None)

    def _asked(self, begin: Callable[[], None]) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            begin()
        elif time.monotonic() - self._asked_at > ORDERLY_SECONDS:
            # Nothing acknowledged is lost by that; it is what a power cut does.
            _log.error(
                "broken_off", remains="the embedded servers: make stop ends them"
            )
            os._exit(BROKEN_OFF)

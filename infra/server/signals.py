"""Signals that stop a server, at any moment of its life.

The first signal stops the server in an orderly way. During the start the server only
notes the signal, because an aborted start would leave embedded servers behind that
nobody knows of. A second signal, after the time for an orderly stop, aborts.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

#: How long an orderly stop may take before a second signal aborts it. Ctrl-C twice in a
#: row means one stop.
ORDERLY_SECONDS = 10.0
BROKEN_OFF = 1

_log = structlog.get_logger(__name__)


class StopSignals:
    """A listener for stop signals, with or without an event loop."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._signals = [signal.SIGINT, signal.SIGTERM]
        # nohup sets SIGHUP to be ignored; keep it so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._signals.append(signal.SIGHUP)
        self.listen()

    def listen(self) -> None:
        """Listen without an event loop: before the loop starts and after it ends."""
        for number in self._signals:
            signal.signal(number, self._note)

    def listen_in(
        self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None]
    ) -> None:
        """Listen on the loop. Call `begin` on the first signal, which may have come."""
        for number in self._signals:
            loop.add_signal_handler(number, self._receive, begin)
        if self._first_at is not None:
            begin()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._receive(lambda: None)

    def _receive(self, begin: Callable[[], None]) -> None:
        if self._first_at is None:
            self._first_at = time.monotonic()
            begin()
        elif time.monotonic() - self._first_at > ORDERLY_SECONDS:
            # A power cut does the same; no acknowledged command is lost.
            _log.error(
                "broken_off", remains="the embedded servers; make stop stops them"
            )
            # That exit runs nothing, so write the last lines now.
            logging.shutdown()
            os._exit(BROKEN_OFF)

"""The access log: one line for each request, after its response.

Formatting a line costs as much as several steps of an order, so a request only appends
a few values to a list. Ten times a second the list goes to the thread that writes the
log (`infra/runtime/line_writer.py`), which makes the lines.

A line has the path without its query. A path, too, may hold what a client should not
have put there, so it passes through the redaction.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from time import perf_counter
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from infra.runtime.line_writer import LineWriter
from infra.runtime.logging_setup import is_readable
from infra.runtime.redaction import redacted_text
from infra.runtime.settings import Settings

BATCH_SECONDS = 0.1
#: A longer list goes to the thread at once.
BATCH_MAX = 1_000
PATH_LENGTH_MAX = 200

_encode_lines = msgspec.json.Encoder().encode_lines


#: One request after its response: when it ended (by `perf_counter`), method, path,
#: status, seconds, correlation id, user, account, reasons of refusals. A plain tuple,
#: because a request pays for it.
Served: TypeAlias = tuple[
    float, str, str, int, float, str | None, str | None, str | None, Sequence[str]
]


class AccessLine(msgspec.Struct, gc=False):
    """One line of the access log, with the keys of every other line."""

    event: str
    method: str
    path: str
    status: int
    duration_ms: float
    reason: str | UnsetType
    user_id: str | UnsetType
    account_id: str | UnsetType
    correlation_id: str | UnsetType
    logger: str
    level: str
    timestamp: datetime


def access_log(
    settings: Settings, writer: LineWriter | None, now: Callable[[], int]
) -> "AccessLog | None":
    """Return the access log that the settings ask for."""
    if writer is None or not settings.access_log:
        return None
    if settings.log_level not in ("debug", "info"):
        return None
    readable = is_readable(settings.log_format, sys.stderr)
    return AccessLog(writer, now, readable=readable)


class AccessLog:
    """Collects the requests of one event loop and hands their lines over."""

    def __init__(
        self, writer: LineWriter, now: Callable[[], int], *, readable: bool
    ) -> None:
        self._writer = writer
        self._now = now
        self._text = _readable_text if readable else _json_text
        self._served: list[Served] = []

    def add(self, served: Served) -> None:
        """Keep a request for the next batch of lines."""
        waiting = self._served
        if not waiting:
            loop = asyncio.get_running_loop()
            loop.call_later(BATCH_SECONDS, self._hand_over, waiting)
        waiting.append(served)
        if len(waiting) == BATCH_MAX:
            self._hand_over(waiting)

    def hand_over(self) -> None:
        """Hand over the last lines, when the server ends."""
        self._hand_over(self._served)

    def _hand_over(self, waiting: list[Served]) -> None:
        # The timer of a batch may come after the batch was full.
        if waiting is not self._served or not waiting:
            return
        self._served = []
        # One reading of the clock serves the batch, because each reading costs.
        start = self._now() / 1_000_000 - perf_counter()
        self._writer.offer(len(waiting), partial(self._text, waiting, start))


def _line(served: Served, start: float) -> AccessLine:
    ended, method, path, status, seconds, correlation, user, account, reasons = served
    return AccessLine(
        "request",
        method,
        _shown(path),
        status,
        int(seconds * 1_000_000) / 1_000,
        ",".join(dict.fromkeys(reasons)) if reasons else UNSET,
        user or UNSET,
        account or UNSET,
        redacted_text(correlation) if correlation else UNSET,
        __name__,
        "info",
        datetime.fromtimestamp(start + ended, UTC),
    )


@lru_cache(1_000)
def _shown(path: str) -> str:
    return redacted_text(path[:PATH_LENGTH_MAX])


def _json_text(batch: Sequence[Served], start: float) -> bytes:
    return _encode_lines([_line(served, start) for served in batch])


def _readable_text(batch: Sequence[Served], start: float) -> bytes:
    lines: list[str] = []
    for served in batch:
        line = _line(served, start)
        named = [line.reason, line.user_id, line.account_id, line.correlation_id]
        lines.append(
            f"{line.timestamp:%Y-%m-%dT%H:%M:%S.%fZ} [info     ] request"
            f" {line.status} {line.method} {line.path!a} {line.duration_ms} ms"
            f" {' '.join(each for each in named if each)}\n"
        )
    return "".join(lines).encode()

"""Runs background work of the server: logs its failures and retries it.

A failure of the day roll, the projector, a snapshot or the seeding never ends the
server.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from commands.ports import LogLost
from domain.errors import Unavailable

RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


async def keep_trying(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    retry_seconds: float = RETRY_SECONDS,
) -> None:
    """Run `work` again whenever it ends or fails, until this task is canceled."""
    while True:
        try:
            await work()
        except (LogLost, Unavailable) as reason:
            # Postgres is away. The writer reports that; here a warning is enough.
            _log.warning("work_waits", work=name, reason=str(reason))
        except Exception:  # noqa: BLE001 - this is the top loop of a task
            _log.exception("work_failed", work=name)
        await asyncio.sleep(retry_seconds)

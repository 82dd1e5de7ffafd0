"""How the work beside the writer goes on: what fails in it is told, and begun again.

Day roll, projector, snapshots, seeding: none of them is a reason to end the server.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from commands.ports import LogLost
from domain.errors import Unavailable

RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


async def kept_up(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    retry_seconds: float = RETRY_SECONDS,
) -> None:
    """Do some work for as long as this task is not canceled."""
    while True:
        try:
            await work()
        except (LogLost, Unavailable) as reason:
            # Postgres went away under it: that is told elsewhere, and it comes back.
            _log.warning("work_waits", work=name, reason=str(reason))
        except Exception:  # noqa: BLE001 - the top loop of a task
            _log.exception("work_failed", work=name)
        await asyncio.sleep(retry_seconds)

"""Background work survives its failures."""

import asyncio

import pytest

from commands.ports import LogUnavailable
from domain.errors import CommitFailed
from infra.server.retrying_task import keep_trying


@pytest.mark.parametrize(
    "failure", [LogUnavailable("gone"), CommitFailed(), OSError("no space"), None]
)
def test_work_that_ends_is_begun_again(failure: Exception | None) -> None:
    begun = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 3:
            again.set()
            await asyncio.Event().wait()
        if failure is not None:
            raise failure

    async def run() -> None:
        task = asyncio.create_task(keep_trying("work", work, retry_seconds=0))
        await asyncio.wait_for(again.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert begun == 3

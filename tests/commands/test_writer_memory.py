"""What the writer has answered, it does not keep."""

import asyncio
import gc

import pytest

from commands.messages import CancelOrder
from commands.writer.batch import Batch, Pending
from domain.errors import CommitFailed, DomainError, OrderDone
from tests.support.troubled_store import Trouble
from tests.support.writers import Server

ROUNDS = 50


def held() -> int:
    """Count the batches and pending commands that nothing can free."""
    gc.collect()
    return sum(isinstance(each, Batch | Pending) for each in gc.get_objects())


async def cancel_twice(server: Server, number: int) -> None:
    """Send a cancel, and again while the first one is being committed."""
    await server.writer.execute(server.order(number))
    cancel = CancelOrder(server.meta(), "alice", f"order-{number}")
    flying = await server.in_flight(cancel)
    again = server.send(cancel)
    await asyncio.sleep(0)
    server.store.commits.let_go()
    await flying
    with pytest.raises(OrderDone):
        await again


@pytest.mark.rule("COMMAND-03")
async def test_refusals_that_waited_for_a_commit_leave_nothing(server: Server):
    await cancel_twice(server, 0)
    before = held()

    for number in range(1, ROUNDS):
        await cancel_twice(server, number)

    assert held() <= before


@pytest.mark.rule("COMMAND-04")
async def test_commands_whose_commit_failed_leave_nothing(server: Server):
    before = held()
    flying = await server.in_flight(server.order(1))
    waiting = [server.send(server.order(number)) for number in range(2, ROUNDS)]
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()
    outcomes = await asyncio.gather(flying, *waiting, return_exceptions=True)

    assert {type(each) for each in outcomes} == {CommitFailed}
    assert all(isinstance(each, DomainError) for each in outcomes)
    del outcomes, flying, waiting
    # The batch that the writer opened for the next leader remains.
    assert held() <= before + 1

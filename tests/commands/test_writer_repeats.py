"""docs/rules/commands.md: a command sent again gets the first answer, once durable."""

import asyncio

import pytest

from commands.receipts import Repeated
from commands.writer import Role
from domain.errors import CommitFailed, DuplicateOrder
from domain.events.market import OrderAccepted
from tests.support.troubled_store import Trouble
from tests.support.writers import Server


@pytest.mark.rule("ORDER-09")
async def test_a_repeat_gets_the_first_answer_from_the_log(server: Server):
    first = await server.writer.execute(server.order(1))
    await server.writer.execute(server.order(2))
    head = server.store.reader.head()

    again = await server.writer.execute(server.order(1))

    assert again.repeated
    assert again.position == first.position
    assert [type(each) for each in again.events] == [OrderAccepted]
    assert again.events[0] == first.events[-1]
    assert server.store.reader.head() == head


@pytest.mark.rule("ORDER-09")
async def test_a_repeat_with_other_content_is_refused(server: Server):
    await server.writer.execute(server.order(1))

    with pytest.raises(DuplicateOrder):
        await server.writer.execute(server.order(1, price=9_900))


@pytest.mark.rule("COMMAND-03")
async def test_a_repeat_waits_until_the_first_is_committed(server: Server):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    assert not again.done()
    server.store.commits.let_go()

    assert (await again).position == (await first).position
    assert (await again).repeated


@pytest.mark.rule("COMMAND-03")
async def test_a_repeat_waits_for_a_first_that_waits_itself(server: Server):
    other = await server.in_flight(server.order(1))
    first = server.send(server.order(2))
    again = server.send(server.order(2))
    await asyncio.sleep(0)

    server.store.commits.let_go()

    await other
    assert (await again).position == (await first).position


@pytest.mark.rule("COMMAND-04")
async def test_a_repeat_of_what_was_not_committed_is_told_so(server: Server):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()

    outcomes = await asyncio.gather(first, again, return_exceptions=True)
    assert [type(each) for each in outcomes] == [CommitFailed, CommitFailed]


@pytest.mark.rule("COMMAND-05")
async def test_a_repeat_of_what_was_committed_without_an_answer_gets_it(
    server: Server,
):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.ANSWER_LOST
    server.store.commits.let_go()

    assert (await again).position == (await first).position
    assert (await again).repeated


def repeat(server: Server, number: int) -> Repeated:
    """What is known of a command that was sent before."""
    with pytest.raises(Repeated) as repeated:
        server.submit(server.order(number))
    return repeated.value


@pytest.mark.rule("COMMAND-04")
async def test_a_repeat_known_before_memory_was_dropped_is_told_to_ask_again(
    server: Server,
):
    flying = await server.in_flight(server.order(1))
    waiting = server.send(server.order(2))
    await asyncio.sleep(0)
    repeats = [repeat(server, 1), repeat(server, 2)]

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()
    await asyncio.gather(flying, waiting, return_exceptions=True)
    await server.becomes(Role.LEADER)

    for each in repeats:
        with pytest.raises(CommitFailed):
            await server.writer.repeated_answer(each)


@pytest.mark.rule("COMMAND-05")
async def test_a_repeat_known_before_memory_was_dropped_finds_what_was_committed(
    server: Server,
):
    first = await server.in_flight(server.order(1))
    known = repeat(server, 1)

    server.store.trouble = Trouble.ANSWER_LOST
    server.store.replays.hold()
    server.store.commits.let_go()
    await server.becomes(Role.RECOVERING)
    asked = asyncio.create_task(server.writer.repeated_answer(known))
    await asyncio.sleep(0)
    assert not asked.done()
    server.store.replays.let_go()
    again = await asked

    assert again.position == (await first).position

"""docs/rules/commands.md: a repeated command gets the first answer, once durable."""

import asyncio

import pytest

from commands.answers import NotHeld
from commands.messages import CancelOrder, PlaceOrders
from commands.writer.leadership import WriterState
from domain.errors import CommitFailed, Conflict, DomainError
from domain.events.event import Meta
from domain.events.market import Halted
from tests.support.spec import AT
from tests.support.troubled_store import Trouble
from tests.support.writers import Server, keyed_halt


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_key_gets_the_first_answer_from_the_log(server: Server):
    first = await server.writer.execute(keyed_halt())
    await server.writer.execute(server.order(2))
    head = server.store.reader.head()

    again = await server.writer.execute(keyed_halt())

    assert again.repeated
    assert again.position == first.position
    assert [type(each.event) for each in again.facts] == [Halted]
    assert list(again.facts) == list(first.facts)
    assert server.store.reader.head() == head


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_key_with_other_content_is_refused(server: Server):
    await server.writer.execute(keyed_halt())

    with pytest.raises(Conflict):
        await server.writer.execute(keyed_halt("rumor"))


@pytest.mark.rule("ORDER-09")
async def test_a_repeated_client_order_id_names_its_order_at_the_head(server: Server):
    await server.writer.execute(server.order(1))
    later = await server.writer.execute(server.order(2))

    again = await server.writer.execute(server.order(1))

    assert (again.repeated, again.order_id) == (True, "order-1")
    assert (again.position, list(again.facts)) == (later.position, [])


@pytest.mark.rule("COMMAND-03")
async def test_a_repeat_waits_until_the_first_command_is_durable(server: Server):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    assert not again.done()
    server.store.commits.let_go()

    assert (await again).position == (await first).position
    assert (await again).repeated


@pytest.mark.rule("COMMAND-03")
async def test_a_repeat_waits_even_if_the_first_command_is_in_a_later_batch(
    server: Server,
):
    other = await server.in_flight(server.order(1))
    first = server.send(server.order(2))
    again = server.send(server.order(2))
    await asyncio.sleep(0)

    server.store.commits.let_go()

    await other
    assert (await again).position == (await first).position


@pytest.mark.rule("COMMAND-04")
async def test_a_repeat_fails_if_the_commit_of_the_first_command_fails(server: Server):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()

    outcomes = await asyncio.gather(first, again, return_exceptions=True)
    assert [type(each) for each in outcomes] == [CommitFailed, CommitFailed]


@pytest.mark.rule("COMMAND-05")
async def test_a_repeat_gets_the_answer_that_the_first_commit_lost(
    server: Server,
):
    first = await server.in_flight(server.order(1))
    again = server.send(server.order(1))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.ANSWER_LOST
    server.store.commits.let_go()

    assert await first
    assert ((await again).repeated, (await again).order_id) == (True, "order-1")


@pytest.mark.rule("COMMAND-04")
async def test_no_part_of_a_batch_repeats_a_command_that_was_lost(
    server: Server,
):
    flying = await server.in_flight(server.order(1))
    orders = (server.order(1), server.order(2), server.order(2))
    whole = PlaceOrders(server.meta(), tuple(enumerate(orders)))
    batch = server.send(whole)
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()
    await asyncio.gather(flying, return_exceptions=True)
    await server.becomes(WriterState.LEADER)

    answer = await batch
    assert [type(outcome) for _, outcome in answer.parts] == [CommitFailed] * 3
    assert answer.position == 0


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_key_fails_if_the_first_command_was_lost(
    server: Server,
):
    first = await server.in_flight(keyed_halt())
    again = server.send(keyed_halt())
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()

    for each in (first, again):
        with pytest.raises(CommitFailed):
            await each


@pytest.mark.rule("COMMAND-02")
async def test_the_key_of_a_batch_belongs_to_its_content(server: Server):
    def batch(digest: str) -> PlaceOrders:
        meta = Meta(AT, "tester", f"batch-{digest}", key="batch", digest=digest)
        return PlaceOrders(meta, ((0, server.order(1)), (1, server.order(2))))

    first = await server.writer.execute(batch("one"))
    again = await server.writer.execute(batch("one"))

    assert (first.repeated, again.repeated) == (False, True)
    assert [name for name, _ in again.parts] == ["0", "1"]
    assert not any(isinstance(outcome, DomainError) for _, outcome in again.parts)
    with pytest.raises(Conflict):
        await server.writer.execute(batch("other"))


@pytest.mark.rule("COMMAND-03")
async def test_the_refusal_of_an_order_that_is_not_held_has_the_head(server: Server):
    flying = await server.in_flight(server.order(1))
    cancel = server.send(CancelOrder(server.meta(), "alice", "nobody's"))
    await asyncio.sleep(0)
    assert not cancel.done()
    server.store.commits.let_go()

    with pytest.raises(NotHeld) as unknown:
        await cancel

    assert unknown.value.position == (await flying).position
    with pytest.raises(NotHeld) as unknown:
        await server.writer.execute(CancelOrder(server.meta(), "alice", "nobody's"))
    assert unknown.value.position == (await flying).position

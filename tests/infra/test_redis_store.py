"""Properties of the read models' store that only a real Redis can show."""

import asyncio
from collections.abc import Generator
from typing import Any, cast

import pytest
from redis import Redis

from infra.views.redis_store import (
    KEEPS_ALL,
    RedisStore,
    RedisViews,
    eviction_policy,
)
from projections.store import (
    Change,
    Place,
    PutRows,
    Request,
    Step,
    StoreDown,
    View,
)

VIEW = View("books")
OTHER = View("shelves")


def step(
    *changes: Change,
    view: View = VIEW,
    expected: int | None = None,
    reached: int = 0,
    live: bool = False,
) -> Step:
    return Step(view, "1-a", expected, reached, live, changes)


def go_live(store: RedisStore) -> None:
    assert store.write([step()], ())
    assert store.switch(VIEW, Place("1-a", 0))


@pytest.fixture
def server(redis_url: str) -> Generator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def redis_store(redis_url: str) -> Generator[RedisStore]:
    redis_store = RedisStore(redis_url)
    yield redis_store
    redis_store.close()


async def test_a_server_that_forgot_the_scripts_gets_them_again(
    redis_url: str, redis_store: RedisStore, server: Redis
):
    views = RedisViews(redis_url)
    go_live(redis_store)
    server.script_flush()

    assert redis_store.write([step(expected=0, reached=3, live=True)], ())
    server.script_flush()
    assert (await views.read(VIEW, [])).checkpoint == 3
    await views.close()


@pytest.mark.rule("VIEW-01")
def test_a_write_in_pieces_loses_its_checkpoint(redis_store: RedisStore, server: Redis):
    assert redis_store.write([step(), step(view=OTHER)], ())
    server.lpush("bourse:books:1-a:torn", "of another kind")

    changes = [PutRows("rows", {"a": "1"}), PutRows("torn", {"a": "1"})]
    with pytest.raises(StoreDown):
        redis_store.write(
            [
                step(view=OTHER, expected=0, reached=5),
                step(*changes, expected=0, reached=5),
            ],
            (),
        )

    # The step before it was whole.
    pieces, whole = redis_store.read(
        [Request(VIEW, [], "1-a"), Request(OTHER, [], "1-a")]
    )
    assert pieces is None
    assert whole is not None
    assert whole.checkpoint == 5


def test_messages_are_published_with_a_write_and_not_without(
    redis_store: RedisStore, server: Redis
):
    channel = cast(Any, server).pubsub(ignore_subscribe_messages=True)
    channel.subscribe("news")
    channel.get_message(timeout=5)

    assert redis_store.write([step()], [("news", "first")])
    assert not redis_store.write([step()], [("news", "never")])
    assert redis_store.write([step(expected=0, reached=1)], [("news", "second")])

    heard = [channel.get_message(timeout=5)["data"] for _ in range(2)]
    assert heard == [b"first", b"second"]
    channel.close()


async def test_a_server_that_is_away_is_reported_as_such():
    url = "redis://127.0.0.1:1"
    store, views = RedisStore(url, timeout=1), RedisViews(url, timeout=1)

    with pytest.raises(StoreDown):
        store.read([Request(VIEW, [])])
    with pytest.raises(StoreDown):
        await views.read(VIEW, [])
    await views.close()


async def test_a_read_that_is_canceled_ends_canceled_wherever_it_stood(
    redis_url: str,
) -> None:
    turns = 0
    while True:
        views = RedisViews(redis_url)
        reading = asyncio.create_task(views.read_many([Request(VIEW, ())]))
        # Each turn of the loop cancels a later stage: connecting, sending, waiting.
        for _ in range(turns):
            await asyncio.sleep(0)
        if not reading.cancel():
            break
        with pytest.raises(asyncio.CancelledError):
            await reading
        await views.close()
        turns += 1
    await views.close()
    assert turns > 0


def test_the_policy_by_which_a_redis_evicts_keys_is_known(
    redis_url: str, server: Redis
):
    assert eviction_policy(redis_url) == KEEPS_ALL
    server.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert eviction_policy(redis_url) == "allkeys-lru"
    finally:
        server.config_set("maxmemory-policy", KEEPS_ALL)
    assert eviction_policy("redis://127.0.0.1:1") is None

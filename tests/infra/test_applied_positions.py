"""A waiter for a log position wakes, even if messages or connections were lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from infra.local.servers import start_redis, stop_redis
from infra.views.applied_positions import RedisAppliedPositions
from infra.views.homes import ViewsOfHome
from infra.views.redis_store import RedisStore, RedisViews
from processors.host import Host
from projections.register import NAMES
from projections.store import Home, StoreDown, applied_message
from tests.support.facts import batches, segment
from tests.support.flow import Flow
from tests.support.views import live_host

FACTS = Flow(2).run(60)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
SOON = 5.0


def in_redis(views: RedisViews) -> dict[Home, ViewsOfHome]:
    """All read models in one store."""
    return dict.fromkeys(Home, views)


@pytest.fixture
async def applied(redis_url: str) -> AsyncIterator[RedisAppliedPositions]:
    views = RedisViews(redis_url)
    applied = RedisAppliedPositions(redis_url, in_redis(views))
    applied.start()
    yield applied
    await applied.close()
    await views.close()


@pytest.fixture
def host(redis_url: str) -> Host:
    return live_host(RedisStore(redis_url))


async def test_what_is_there_already_needs_no_message(
    host: Host, applied: RedisAppliedPositions
):
    host.apply(segment(HALF))

    assert await applied.reach(len(HALF), NAMES, SOON)


@pytest.mark.rule("VIEW-06")
async def test_a_write_wakes_who_waits_for_it(
    host: Host, applied: RedisAppliedPositions
):
    assert await applied.reach(0, NAMES, SOON)
    waiting = asyncio.create_task(applied.reach(len(FACTS), ["orders", "tape"], SOON))
    await asyncio.sleep(0)

    await asyncio.to_thread(host.apply, segment(FACTS))

    assert await waiting


@pytest.mark.rule("VIEW-06")
async def test_a_wait_in_vain_returns_false(host: Host, applied: RedisAppliedPositions):
    host.apply(segment(HALF))

    assert not await applied.reach(len(HALF) + 1, ["orders"], 0.05)


async def test_every_named_view_must_have_reached_the_position(
    redis_url: str, applied: RedisAppliedPositions
):
    host = live_host(RedisStore(redis_url))
    behind = [each for each in host.followed if each.view.name == "depth"]
    host.followed = [each for each in host.followed if each not in behind]
    host.apply(segment(HALF))

    assert await applied.reach(len(HALF), ["orders", "tape"], SOON)
    assert not await applied.reach(len(HALF), ["orders", "depth"], 0.05)


@pytest.mark.rule("VIEW-06")
async def test_a_lost_message_is_made_up_for(
    redis_url: str, host: Host, applied: RedisAppliedPositions
):
    host.apply(segment(HALF))
    assert await applied.reach(len(HALF), NAMES, SOON)
    waiting = asyncio.create_task(applied.reach(len(FACTS), NAMES, SOON))
    await asyncio.sleep(0)

    with Redis.from_url(redis_url) as client:
        cast(Any, client).client_kill_filter(_type="pubsub")
    await asyncio.to_thread(host.apply, segment(FACTS))

    assert await waiting


async def test_a_message_of_another_kind_does_not_end_the_listening(
    redis_url: str, host: Host, applied: RedisAppliedPositions
):
    assert await applied.reach(0, NAMES, SOON)
    with Redis.from_url(redis_url) as client:
        client.publish(applied_message(0, {})[0], "nonsense")

    await asyncio.to_thread(host.apply, segment(FACTS))

    assert await applied.reach(len(FACTS), NAMES, SOON)


async def test_positions_are_reported_by_view(
    redis_url: str, applied: RedisAppliedPositions
):
    assert await applied.positions() == dict.fromkeys(NAMES)

    live_host(RedisStore(redis_url)).apply(segment(FACTS))

    assert await applied.positions() == dict.fromkeys(NAMES, len(FACTS))


async def test_a_redis_that_comes_back_is_heard_again(server_home: Path):
    url = start_redis(server_home).url
    views = RedisViews(url, timeout=1)
    applied = RedisAppliedPositions(url, in_redis(views))
    applied.start()
    live_host(RedisStore(url)).apply(segment(HALF))
    assert await applied.reach(len(HALF), NAMES, SOON)

    await asyncio.to_thread(stop_redis, server_home)
    with pytest.raises(StoreDown):
        await applied.positions()
    assert (await asyncio.to_thread(start_redis, server_home)).url == url
    with Redis.from_url(url) as client:
        client.flushall()
    store = RedisStore(url)
    await asyncio.to_thread(live_host(store).apply, segment(FACTS))

    assert await applied.reach(len(FACTS), NAMES, 2 * SOON)
    await applied.close()
    await views.close()
    store.close()

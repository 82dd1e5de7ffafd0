"""The projector follows a real log into a real Redis, and ends with its parent."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from domain.events.register import Fact
from infra.local.servers import start_redis
from infra.log.event_store import PostgresEventStore
from infra.server.projector import Turn
from infra.views.applied_positions import RedisAppliedPositions
from infra.views.homes import HomedViews, by_home, view_stores
from infra.views.postgres_views import PostgresViews
from infra.views.redis_store import RedisViews
from processors.rebuild import verify
from projections.register import NAMES, PROJECTIONS
from projections.store import Home, StoreDown
from tests.support.facts import batches, recorded
from tests.support.flow import Flow
from tests.support.server_process import wait_until

FACTS = Flow(4).run(80)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
REST = FACTS[len(HALF) :]
LONG = 20.0


@pytest.fixture
def store(database_url: str) -> Generator[PostgresEventStore]:
    with PostgresEventStore(database_url) as store:
        yield store


def homed(database_url: str, redis_url: str) -> HomedViews:
    return HomedViews(
        {Home.LIVE: RedisViews(redis_url), Home.HISTORY: PostgresViews(database_url)}
    )


@pytest.fixture
async def applied(
    database_url: str, redis_url: str
) -> AsyncIterator[RedisAppliedPositions]:
    views = homed(database_url, redis_url)
    applied = RedisAppliedPositions(redis_url, views.homes)
    applied.start()
    yield applied
    await applied.close()
    await views.close()


@contextmanager
def projector(database_url: str, redis_url: str) -> Generator[subprocess.Popen[bytes]]:
    urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.server.projector"],
        stdin=subprocess.PIPE,
        env=os.environ | urls,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(LONG)
        if process.stdin is not None:
            process.stdin.close()


def append(store: PostgresEventStore, facts: Sequence[Fact]) -> int:
    """Append facts to the log, which a projector may follow, and return the head."""
    writer = store.acquire()
    assert writer is not None
    for batch in batches(facts, [40] * len(facts)):
        writer.append(recorded(batch))
    writer.close()
    return store.reader.head()


async def test_the_views_follow_the_log_and_are_what_it_gives(
    store: PostgresEventStore,
    applied: RedisAppliedPositions,
    database_url: str,
    redis_url: str,
):
    middle = append(store, HALF)
    with projector(database_url, redis_url):
        assert await applied.reach(middle, NAMES, LONG)
        head = append(store, REST)
        assert await applied.reach(head, NAMES, LONG)

        with view_stores(database_url, redis_url) as stores:
            reports = [
                report
                for views, types in by_home(stores, PROJECTIONS)
                for report in verify(store.reader, views, types, new_id=lambda: "proof")
            ]

    assert [each.differing for each in reports] == [0] * len(NAMES)
    assert all(each.compared for each in reports)


async def test_a_flush_under_load_heals(
    store: PostgresEventStore,
    applied: RedisAppliedPositions,
    database_url: str,
    redis_url: str,
):
    with projector(database_url, redis_url), Redis.from_url(redis_url) as client:
        assert await applied.reach(append(store, HALF), NAMES, LONG)
        client.flushall()
        head = append(store, REST)
        client.flushall()
        assert await live_at(applied, head)


async def test_a_redis_that_was_killed_under_load_heals(
    store: PostgresEventStore, database_url: str, server_home: Path
):
    local = start_redis(server_home)
    views = homed(database_url, local.url)
    applied = RedisAppliedPositions(local.url, views.homes)
    applied.start()
    with projector(database_url, local.url):
        assert await applied.reach(append(store, HALF), NAMES, LONG)
        os.kill(local.pid, signal.SIGKILL)
        head = append(store, REST)
        assert (await asyncio.to_thread(start_redis, server_home)).url == local.url
        assert await live_at(applied, head)
    await applied.close()
    await views.close()


async def live_at(applied: RedisAppliedPositions, head: int) -> bool:
    """Wait until every view is live at the head; return False on a timeout."""
    async with asyncio.timeout(LONG):
        while True:
            with contextlib.suppress(StoreDown):
                if set((await applied.positions()).values()) == {head}:
                    return True
            await applied.reach(head + 1, NAMES, 0.1)


async def test_the_next_projector_takes_over_when_the_first_one_dies(
    store: PostgresEventStore,
    applied: RedisAppliedPositions,
    database_url: str,
    redis_url: str,
):
    with (
        projector(database_url, redis_url) as first,
        projector(database_url, redis_url),
    ):
        assert await applied.reach(append(store, HALF), NAMES, LONG)
        first.kill()
        assert await applied.reach(append(store, REST), NAMES, LONG)


def test_the_turn_is_held_by_one_until_it_is_gone(database_url: str):
    first, second = Turn(database_url), Turn(database_url)

    assert first.held()
    assert not second.held()
    first.close()
    wait_until("the turn is free", second.held, LONG)
    second.close()


def test_a_turn_whose_database_is_away_is_not_held():
    assert not Turn("postgresql://nobody@127.0.0.1:1/nothing").held()


def test_it_ends_with_the_process_that_started_it(
    store: PostgresEventStore, database_url: str, redis_url: str
):
    with projector(database_url, redis_url) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(LONG) == 0


async def test_a_signal_ends_the_projector(
    store: PostgresEventStore,
    applied: RedisAppliedPositions,
    database_url: str,
    redis_url: str,
):
    head = append(store, HALF)
    with projector(database_url, redis_url) as process:
        assert await applied.reach(head, NAMES, LONG)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0


def test_it_does_not_start_without_both_urls(redis_url: str):
    with projector("", redis_url) as process:
        assert process.wait(LONG) == 2

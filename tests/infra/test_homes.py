"""Live views in Redis and history in Postgres follow one log independently."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping

import pytest

from infra.log.migrations import migrate
from infra.views.applied_positions import RedisAppliedPositions
from infra.views.homes import HomedViews, by_home, view_stores
from infra.views.postgres_views import PostgresViews
from infra.views.redis_store import RedisViews
from processors.follower import SharedReader, follow_log
from processors.runner import Runner
from projections.accounts.balances import balance, balance_request
from projections.accounts.statements import VIEW as STATEMENTS
from projections.accounts.statements import movements
from projections.register import NAMES, PROJECTIONS
from projections.store import Home, Request, Store
from tests.support.facts import extend, segment
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.views import live_host

FLOW = Flow(19)
FACTS = FLOW.run(300)
ACCOUNTS = list(FLOW.exchange.wallets)
SOON = 10.0


class StoppingLog(MemoryLogReader):
    """A log that ends the loop when no follower has anything left to do."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def wait(self, after: int, seconds: float) -> bool:
        if not super().wait(after, 0) and seconds:
            self._stop.set()
        return super().wait(after, 0)


def follow(stores: Mapping[Home, Store]) -> None:
    """Follow the log into the stores, as the projector does."""
    stop = threading.Event()
    log = StoppingLog(stop)
    extend(log, FACTS)
    reader = SharedReader(log)
    runners = [
        Runner(reader, store, new_id=lambda: "x", types=types, name=types[0].view.home)
        for store, types in by_home(stores, PROJECTIONS)
    ]
    threading.Timer(SOON, stop.set).start()
    follow_log(reader, runners, stop)


@pytest.fixture
async def views(database_url: str, redis_url: str) -> AsyncIterator[HomedViews]:
    await asyncio.to_thread(migrate, database_url)
    views = HomedViews(
        {Home.LIVE: RedisViews(redis_url), Home.HISTORY: PostgresViews(database_url)}
    )
    yield views
    await views.close()


@pytest.fixture
def in_memory() -> MemoryViews:
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    return MemoryViews(store)


@pytest.mark.rule("VIEW-16")
@pytest.mark.parametrize("newest_first", [True, False])
async def test_statements_in_postgres_equal_those_of_the_twin_in_memory(
    database_url: str,
    redis_url: str,
    views: HomedViews,
    in_memory: MemoryViews,
    newest_first: bool,
):
    with view_stores(database_url, redis_url) as stores:
        await asyncio.to_thread(follow, stores)

    for account_id in ACCOUNTS:
        expected = await movements(
            in_memory, account_id, newest_first=newest_first, limit=1_000
        )
        shown = await movements(
            views, account_id, newest_first=newest_first, limit=1_000
        )
        assert shown == expected
        some = await movements(views, account_id, newest_first=newest_first, limit=5)
        assert some.lines == expected.lines[:5]
        assert await balance(views, account_id) == await balance(in_memory, account_id)


async def test_views_of_two_homes_cannot_be_read_at_one_moment(views: HomedViews):
    with pytest.raises(AssertionError, match="no moment"):
        await views.read_at_once([balance_request("ada"), Request(STATEMENTS, ())])


def test_every_home_keeps_a_read_model_and_every_read_model_has_a_home():
    stores = {home: MemoryStore() for home in Home}

    homes = {
        each.view.name: store
        for store, types in by_home(stores, PROJECTIONS)
        for each in types
    }

    assert set(homes) == set(NAMES)
    assert homes["statements"] is stores[Home.HISTORY]
    assert set(homes.values()) == set(stores.values())


@pytest.mark.parametrize("away", Home)
def test_a_store_that_is_away_does_not_block_the_other(
    database_url: str, redis_url: str, away: Home
):
    migrate(database_url)
    postgres_url, live_url = database_url, redis_url
    if away is Home.LIVE:
        live_url = "redis://127.0.0.1:1"
    else:
        postgres_url = "postgresql://nobody@127.0.0.1:1/nothing"

    with view_stores(postgres_url, live_url) as stores:
        follow(stores)

        for store, types in by_home(stores, PROJECTIONS):
            if types[0].view.home is not away:
                answers = store.read([Request(each.view, ()) for each in types])
                shown = [answer and answer.checkpoint for answer in answers]
                assert shown == [len(FACTS)] * len(types)


@pytest.mark.rule("VIEW-06")
async def test_positions_of_both_homes_are_known_and_announced(
    database_url: str, redis_url: str, views: HomedViews
):
    applied = RedisAppliedPositions(redis_url, views.homes)
    applied.start()
    assert await applied.positions() == dict.fromkeys(NAMES)
    waiting = asyncio.create_task(applied.reach(len(FACTS), NAMES, SOON))

    with view_stores(database_url, redis_url) as stores:
        await asyncio.to_thread(follow, stores)

    assert await waiting
    assert await applied.positions() == dict.fromkeys(NAMES, len(FACTS))
    await applied.close()


async def test_an_outage_of_history_does_not_block_waits_for_live_views(
    database_url: str, redis_url: str
):
    away = PostgresViews("postgresql://nobody@127.0.0.1:1/nothing")
    live = RedisViews(redis_url)
    applied = RedisAppliedPositions(redis_url, {Home.LIVE: live, Home.HISTORY: away})
    applied.start()
    migrate(database_url)

    with view_stores(database_url, redis_url) as stores:
        await asyncio.to_thread(follow, stores)
    assert await applied.reach(len(FACTS), ["balances"], SOON)

    positions = await applied.positions()
    assert positions.pop("statements") is None
    assert set(positions.values()) == {len(FACTS)}
    await applied.close()
    await live.close()
    await away.close()

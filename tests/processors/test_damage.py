"""A damaged view is filled again by itself; the other views go on."""

import itertools
from collections.abc import Callable, Generator
from typing import TypeAlias, cast

import pytest
from redis import Redis

from infra.views.redis_store import RedisStore
from processors.follower import Overtaken
from processors.runner import Runner
from projections.register import NAMES, PROJECTIONS
from projections.store import Request, StoreDown
from tests.support.facts import batches, extend, log_of, segment
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore
from tests.support.views import dump, live_host

FACTS = Flow(6).run(400)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
REST = FACTS[len(HALF) :]
MARK = b"mark"
#: Views whose rows the later facts of these tests do not read.
UNTOUCHED = {"tape", "users"}

Damage: TypeAlias = Callable[[Redis, bytes], None]


def garbage(server: Redis, key: bytes) -> None:
    """Replace every value of a table; collections stay."""
    if server.type(key) == b"hash":
        for field in cast(list[bytes], server.hkeys(key.decode())):
            server.hset(key.decode(), field.decode(), "\x00 not a row")


def another_type(server: Redis, key: bytes) -> None:
    server.delete(key)
    server.lpush(key, "of another kind")


@pytest.fixture
def server(redis_url: str) -> Generator[Redis]:
    with Redis.from_url(redis_url) as server:
        yield server
        server.config_set("maxmemory", 0)


@pytest.fixture
def store(redis_url: str) -> Generator[RedisStore]:
    store = RedisStore(redis_url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str]]:
    twin = MemoryStore()
    live_host(twin).apply(segment(FACTS))
    return dump(twin)


def generations(store: RedisStore) -> dict[str, str | None]:
    results = store.read([Request(each.view, ()) for each in PROJECTIONS])
    pairs = zip(PROJECTIONS, results, strict=True)
    return {each.view.name: result and result.generation for each, result in pairs}


def follow(runner: Runner, store: RedisStore, head: int) -> None:
    """Do rounds, as the loop does, until every view is at the head."""
    for _ in range(200):
        try:
            runner.round()
        except (Overtaken, StoreDown):
            runner.forget()
        results = store.read([Request(each.view, ()) for each in PROJECTIONS])
        if all(result and result.checkpoint == head for result in results):
            return
    pytest.fail("the views do not reach the head")


@pytest.mark.rule("VIEW-04")
@pytest.mark.parametrize("view", sorted({*NAMES} - UNTOUCHED))
@pytest.mark.parametrize("damage", [garbage, another_type])
def test_a_damaged_view_alone_is_filled_again(
    store: RedisStore,
    server: Redis,
    expected: dict[str, list[str]],
    view: str,
    damage: Damage,
):
    log, numbers = log_of(HALF), itertools.count()

    def new_id() -> str:
        return str(next(numbers))

    follow(Runner(log, store, new_id=new_id), store, len(HALF))
    before = generations(store)
    prefix = f"bourse:{view}:{before[view]}:"
    for key in cast(list[bytes], server.keys(f"{prefix}*")):
        if key.removeprefix(prefix.encode()) not in (MARK, b"checkpoint"):
            damage(server, key)

    # A new runner: the old one still has the rows in its cache.
    extend(log, REST)
    follow(Runner(log, store, new_id=new_id), store, len(FACTS))

    assert dump(store) == expected
    after = generations(store)
    assert {name for name in NAMES if before[name] != after[name]} <= {view}


@pytest.mark.rule("VIEW-04")
def test_a_full_redis_keeps_its_views_and_catches_up(
    store: RedisStore, server: Redis, expected: dict[str, list[str]]
):
    log = log_of(HALF)
    runner = Runner(log, store, new_id=lambda: "x")
    follow(runner, store, len(HALF))
    before, shown = generations(store), dump(store)
    server.config_set("maxmemory", 1)
    extend(log, REST)

    for _ in range(5):
        with pytest.raises(StoreDown, match="used memory"):
            runner.round()
        runner.forget()
    assert generations(store) == before
    assert dump(store) == shown

    server.config_set("maxmemory", 0)
    follow(runner, store, len(FACTS))
    assert dump(store) == expected
    assert generations(store) == before

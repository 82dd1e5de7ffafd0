"""Reads that depend on other reads give the same rows on every store."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Generator
from random import Random

import pytest

from api.read.holdings import holdings
from domain.events.market import OrderAccepted
from domain.events.register import Fact
from domain.vocabulary import OrderStatus
from infra.views.redis_store import RedisStore, RedisViews
from projections.orders.order_queries import ALL, OPEN, orders
from projections.store import (
    AddEntries,
    Change,
    PutRows,
    Read,
    ReadListed,
    ReadReferred,
    Reply,
    Request,
    Step,
    Store,
    View,
    Views,
)
from tests.support.facts import batches, segment
from tests.support.memory_store import MemoryStore
from tests.support.story import Story
from tests.support.view_stores import REAL, empty_store
from tests.support.views import live_host

VIEW = View("books")
SIDES, SYMBOLS = ("buy", "sell"), ("ACME", "BRK.B", "GLBX")
FEW = [f"few-{number}" for number in range(40)]
COLLECTIONS = ("new", "partly", "none", *FEW)


def contents() -> list[Change]:
    """Return collections with many equal scores, and a row for most entries."""
    random = Random(7)
    rows: dict[str, str] = {}
    entries: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for number in range(900):
        key = f"order-{number:03}"
        words = (key, random.choice(SIDES), random.choice(SYMBOLS))
        score = 1_700_000_000_000_000 + random.randrange(60)
        name = random.choice(("new", "partly", random.choice(FEW)))
        # Those in few collections have fewer words.
        words = words[: random.randint(1, 2)] if name in FEW else words
        entries[name].append((score, " ".join(words)))
        if number % 10:
            rows[key] = f"row {number}"
    index = {f"client-{number}": f"order-{number:03}" for number in range(0, 300, 3)}
    return [
        PutRows("records", rows),
        PutRows("client_ids", index),
        *(AddEntries(name, some) for name, some in entries.items()),
    ]


CONTENTS = contents()


@pytest.fixture(params=REAL)
def store(request: pytest.FixtureRequest) -> Generator[Store]:
    with empty_store(request) as store:
        yield store


def filled(store: Store) -> Store:
    assert store.write([Step(VIEW, "1-a", None, 1, False, CONTENTS)], ())
    return store


def reply(store: Store, read: Read) -> Reply:
    (result,) = store.read([Request(VIEW, [read], "1-a")])
    assert result is not None
    return result.replies[0]


def any_read(random: Random) -> ReadListed:
    low = random.choice((None, 1_700_000_000_000_000 + random.randrange(60)))
    high = random.choice((None, 1_700_000_000_000_000 + random.randrange(60)))
    return ReadListed(
        collections=random.sample(COLLECTIONS, random.randint(1, 43)),
        table="records",
        after=low,
        until=high,
        highest_first=random.random() < 0.5,
        count=random.choice((1, 3, 50, 1_000)),
        words=random.choice(
            ((), ([], []), (["buy"], []), ([], ["BRK.B", "ACME"]), (["x"], ["GLBX"]))
        ),
    )


@pytest.mark.rule("VIEW-03")
def test_listed_rows_are_the_same_on_every_store(store: Store):
    twin, real, random = filled(MemoryStore()), filled(store), Random(11)

    for _ in range(150):
        read = any_read(random)
        assert reply(real, read) == reply(twin, read), read


def test_rows_are_read_by_the_rows_that_refer_to_them(store: Store):
    twin, real = filled(MemoryStore()), filled(store)
    keys = ["client-3", "client-1", "client-30", "client-0", "client-297"]

    shown = reply(real, ReadReferred("client_ids", "records", keys))

    assert shown == reply(twin, ReadReferred("client_ids", "records", keys))
    assert shown == [b"row 3", None, b"", b"", b"row 297"]


def test_more_rows_than_a_command_has_words_are_listed(redis_url: str):
    store = RedisStore(redis_url)
    names = [f"{number:05}" for number in range(9_000)]
    rows = PutRows("records", dict.fromkeys(names, "x"))
    entries = AddEntries("new", [(1, name) for name in names])
    assert store.write([Step(VIEW, "1-a", None, 1, False, [rows, entries])], ())

    read = ReadListed(
        collections=["new"],
        table="records",
        after=None,
        until=None,
        highest_first=True,
        count=10_000,
    )

    assert reply(store, read) == [b"x"] * 9_000
    store.close()


def _is_adas_order(fact: Fact) -> bool:
    return isinstance(fact.event, OrderAccepted)


@pytest.mark.rule("VIEW-03")
async def test_a_list_is_never_torn_while_orders_are_replaced(redis_url: str):
    story = Story()
    sent = story.sell("ada", 5, at="110")
    for number in range(400):
        sent = story.replace(sent, at=str(110 + number % 2))
    store, views = RedisStore(redis_url), RedisViews(redis_url)
    host = live_host(store)
    placed = next(
        place for place, each in enumerate(story.facts, 1) if _is_adas_order(each)
    )
    host.apply(segment(story.facts[:placed]))
    commands = batches(story.facts[placed:], [1] * len(story.facts))
    done = threading.Event()

    def apply_the_rest() -> None:
        for each in commands:
            host.apply(segment(each))
        done.set()

    writer = asyncio.create_task(asyncio.to_thread(apply_the_rest))
    polls = 0
    while not done.is_set():
        (only,) = await orders(views, "ada", statuses=OPEN)
        assert only.status is OrderStatus.NEW
        every = await orders(views, "ada", statuses=ALL, limit=500)
        known = {each.order_id for each in every}
        assert {each.replaced_by for each in every} - {None} <= known
        polls += 1

    await writer
    assert polls > 20
    await views.close()
    store.close()


@pytest.mark.rule("VIEW-03")
async def test_an_account_is_never_torn_while_shares_turn_into_cash(redis_url: str):
    story, moments = Story(), set[tuple[object, ...]]()

    async def remember() -> None:
        moments.add(await _account(story.views))

    for number in range(300):
        price = f"{100 + number / 100:.2f}"
        story.sell("ada", 1, at=price)
        await remember()
        story.buy("ben", 1, at=price)
        await remember()
    store, views = RedisStore(redis_url), RedisViews(redis_url)
    host = live_host(store)
    first, *rest = batches(story.facts, [20, *[1] * len(story.facts)])
    host.apply(segment(first))
    done = threading.Event()

    def apply_the_rest() -> None:
        for each in rest:
            host.apply(segment(each))
        done.set()

    writer = asyncio.create_task(asyncio.to_thread(apply_the_rest))
    polled: list[tuple[object, ...]] = []
    while not done.is_set():
        polled.append(await _account(views))

    await writer
    assert len(set(polled)) > 20
    assert set(polled) <= moments
    await views.close()
    store.close()


async def _account(views: Views) -> tuple[object, ...]:
    """Return ada's cash, shares and their price. No two moments have the same."""
    cash, (held,) = await holdings(views, "ada")
    assert cash is not None
    return cash.ledger, held.position.quantity, held.price.price, held.price.as_of

"""A host applies each fact once, however batches are cut or repeated."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.views.redis_store import RedisStore
from processors.follower import Overtaken
from processors.host import Followed, Host, begin
from projections.register import PROJECTIONS
from projections.store import Request
from tests.support.facts import batches, segment
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore
from tests.support.views import dump, live_host

FACTS = Flow(11).run(600)


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str]]:
    """The contents of a store after one write of all facts."""
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    return dump(store)


@pytest.mark.rule("VIEW-02")
@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 400)))
def test_wherever_batches_are_cut_the_views_are_the_same(
    expected: dict[str, list[str]], sizes: list[int]
):
    store = MemoryStore()
    host = live_host(store)

    for batch in batches(FACTS, sizes):
        host.apply(segment(batch))

    assert dump(store) == expected


@pytest.mark.rule("VIEW-02")
def test_facts_one_by_one_in_redis_are_as_facts_at_once_in_memory(
    expected: dict[str, list[str]], redis_url: str
):
    store = RedisStore(redis_url)
    host = live_host(store)

    for batch in batches(FACTS, [1] * len(FACTS)):
        host.apply(segment(batch))

    assert dump(store) == expected
    store.close()


@pytest.mark.rule("VIEW-02")
def test_facts_sent_again_change_nothing(expected: dict[str, list[str]]):
    store = MemoryStore()
    host = live_host(store)
    half = next(batches(FACTS, [len(FACTS) // 2]))

    host.apply(segment(half))
    host.apply(segment(half))
    host.apply(segment(FACTS))
    host.apply(segment(FACTS))

    assert dump(store) == expected


def test_a_host_that_knows_nothing_goes_on_from_what_is_stored(
    expected: dict[str, list[str]],
):
    store = MemoryStore()
    places = {each.view.name: each.place for each in live_host(store).followed}

    for batch in batches(FACTS, [150] * 20):
        host = Host(
            store,
            [
                Followed(each(), places[each.view.name], live=True)
                for each in PROJECTIONS
            ],
        )
        host.apply(segment(batch))
        places = {each.view.name: each.place for each in host.followed}

    assert dump(store) == expected


def test_a_view_that_is_behind_the_others_catches_up_in_one_write(
    expected: dict[str, list[str]],
):
    store = MemoryStore()
    ahead, behind = live_host(store, PROJECTIONS[1:]), live_host(store, PROJECTIONS[:1])
    half = next(batches(FACTS, [len(FACTS) // 2]))
    ahead.apply(segment(half))

    Host(store, [*ahead.followed, *behind.followed]).apply(segment(FACTS))

    assert dump(store) == expected


def test_of_two_hosts_the_slower_one_writes_nothing(expected: dict[str, list[str]]):
    store = MemoryStore()
    first = live_host(store)
    second = Host(
        store,
        [
            Followed(type(each.projection)(), each.place, live=True)
            for each in first.followed
        ],
    )
    half = next(batches(FACTS, [len(FACTS) // 2]))

    first.apply(segment(half))
    with pytest.raises(Overtaken):
        second.apply(segment(half))
    first.apply(segment(FACTS))

    assert dump(store) == expected


def test_a_store_that_was_emptied_is_noticed():
    store = MemoryStore()
    host = live_host(store)
    half = next(batches(FACTS, [len(FACTS) // 2]))
    host.apply(segment(half))
    store.flush()

    with pytest.raises(Overtaken):
        host.apply(segment(FACTS))

    assert store.read([Request(PROJECTIONS[0].view, [])]) == [None]


def test_only_live_views_are_published():
    store = MemoryStore()
    alongside = Host(store, begin(store, PROJECTIONS, "alongside"))

    alongside.apply(segment(FACTS))

    assert store.published == []


def test_every_write_tells_how_far_the_live_views_are():
    store = MemoryStore()
    host = live_host(store)

    host.apply(segment(FACTS))

    channel, body = store.published[-1]
    generations = {each.view.name: f"{each.view.layout}-test" for each in PROJECTIONS}
    assert channel == "bourse:applied"
    assert json.loads(body) == {"position": len(FACTS), "generations": generations}

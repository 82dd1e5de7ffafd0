"""The store's contract, on memory and on a real Redis alike."""

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any, cast

import pytest
from redis import Redis

from infra.views.redis_store import RedisStore, RedisViews
from projections.store import (
    WORDS_MAX,
    Answer,
    Command,
    Place,
    Request,
    Step,
    Store,
    StoreDown,
    View,
    Views,
    ViewUnavailable,
    best,
    hash_all,
    hash_get,
    hash_set,
    lowest,
    scored,
    sorted_add,
    sorted_keep_newest,
    sorted_remove,
    sorted_remove_from,
    sorted_scores,
)
from tests.support.memory_store import MemoryStore, MemoryViews

VIEW = View("books")
OTHER = View("shelves")


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Generator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    redis_store = RedisStore(request.getfixturevalue("redis_url"))
    yield redis_store
    redis_store.close()


@pytest.fixture
async def views(store: Store, request: pytest.FixtureRequest) -> AsyncIterator[Views]:
    if isinstance(store, MemoryStore):
        yield MemoryViews(store)
        return
    redis_views = RedisViews(request.getfixturevalue("redis_url"))
    yield redis_views
    await redis_views.close()


def step(
    *commands: Command,
    view: View = VIEW,
    generation: str = "1-a",
    expected: int | None = None,
    reached: int = 0,
    live: bool = False,
) -> Step:
    return Step(view, generation, expected, reached, live, commands)


def read(store: Store, *commands: Command, generation: str = "1-a") -> Answer:
    (answer,) = store.read([Request(VIEW, commands, generation)])
    assert answer is not None
    return answer


def go_live(store: Store, generation: str = "1-a", *, view: View = VIEW) -> None:
    assert store.write([step(view=view, generation=generation)], ())
    assert store.switch(view, Place(generation, 0))


@pytest.mark.rule("VIEW-01")
def test_a_write_moves_the_checkpoint_with_the_rows(store: Store):
    assert store.write([step(*hash_set("rows", {"a": "1", "b": "2"}))], ())
    assert store.write([step(*hash_set("rows", {"a": "3"}), expected=0, reached=7)], ())

    answer = read(store, *hash_get("rows", ["a", "b", "c"]))

    assert answer == Answer(7, "1-a", [[b"3", b"2", None]])


@pytest.mark.rule("VIEW-01")
@pytest.mark.parametrize("wrong", [None, 6, 8])
def test_a_write_on_another_checkpoint_than_expected_does_nothing(
    store: Store, wrong: int | None
):
    assert store.write([step(reached=7)], ())

    written = store.write(
        [step(*hash_set("rows", {"a": "1"}), expected=wrong, reached=9)], ()
    )

    assert not written
    assert read(store, hash_all("rows")) == Answer(7, "1-a", [[]])


@pytest.mark.rule("VIEW-01")
def test_one_wrong_expectation_keeps_all_steps_from_being_written(store: Store):
    assert store.write([step(), step(view=OTHER)], ())

    written = store.write(
        [
            step(*hash_set("rows", {"a": "1"}), expected=0, reached=5),
            step(view=OTHER, expected=3, reached=5),
        ],
        (),
    )

    assert not written
    assert read(store, hash_all("rows")).checkpoint == 0


def test_what_is_filled_beside_is_not_written_as_live_nor_the_reverse(store: Store):
    go_live(store)

    assert not store.write([step(expected=0, reached=1, live=False)], ())
    assert store.write([step(expected=0, reached=1, live=True)], ())
    assert store.write([step(generation="1-b")], ())
    assert not store.write(
        [step(generation="1-b", expected=0, reached=1, live=True)], ()
    )


def test_a_sorted_set_is_read_from_both_ends(store: Store):
    pairs = [(3, "c"), (1, "a"), (2, "b")]
    assert store.write([step(*sorted_add("set", pairs))], ())

    answer = read(store, best("set", 2), lowest("set", 2), best("set", 0))

    assert answer.replies == [[b"c", b"b"], [b"a", b"b"], [b"c", b"b", b"a"]]


def test_members_tell_their_scores(store: Store):
    assert store.write([step(*sorted_add("set", [(3, "c"), (10**15, "a")]))], ())

    answer = read(store, *sorted_scores("set", ["a", "b", "c"]))

    assert answer.replies == [[b"1000000000000000", None, b"3"]]


def test_scores_are_exclusive_bounds(store: Store):
    pairs = [(n, f"m{n}") for n in range(1, 7)]
    assert store.write([step(*sorted_add("set", pairs))], ())

    up = scored("set", after=2, until=6, newest_first=False, count=2)
    down = scored("set", after=1, until=None, newest_first=True, count=2)
    answer = read(store, up, down)

    assert answer.replies == [
        [b"m3", b"3", b"m4", b"4"],
        [b"m6", b"6", b"m5", b"5"],
    ]


def test_members_of_a_sorted_set_leave_by_name_by_score_and_by_age(store: Store):
    pairs = [(n, f"m{n}") for n in range(1, 9)]
    commands = [
        *sorted_add("set", pairs),
        *sorted_remove("set", ["m2", "m9"]),
        sorted_remove_from("set", 7),
        sorted_keep_newest("set", 3),
        sorted_keep_newest("none", 3),
    ]
    assert store.write([step(*commands)], ())

    assert read(store, lowest("set", 0)).replies == [[b"m4", b"m5", b"m6"]]


def test_more_words_than_one_command_may_have_are_cut_into_several(store: Store):
    rows = {str(n): "x" for n in range(WORDS_MAX)}
    pairs = [(n, str(n)) for n in range(WORDS_MAX)]
    commands = [*hash_set("rows", rows), *sorted_add("set", pairs)]
    assert len(commands) == 4
    assert store.write([step(*commands)], ())

    answer = read(store, *hash_get("rows", rows), hash_all("rows"), lowest("set", 0))

    assert [len(reply) for reply in answer.replies] == [
        WORDS_MAX,
        2 * WORDS_MAX,
        WORDS_MAX,
    ]


def test_the_largest_score_is_kept_exactly(store: Store):
    largest = 2**53 - 1
    assert store.write([step(*sorted_add("set", [(largest, "m")]))], ())

    page = scored("set", after=None, until=None, newest_first=True, count=1)
    ((member, score),) = [tuple(read(store, page).replies[0])]

    assert (member, int(score or 0)) == (b"m", largest)


@pytest.mark.rule("VIEW-03")
async def test_readers_find_the_live_generation_by_themselves(
    store: Store, views: Views
):
    go_live(store)
    assert store.write([step(generation="1-b")], ())
    row = hash_set("rows", {"a": "new"})
    assert store.write([step(*row, generation="1-b", expected=0, reached=4)], ())

    before = await views.read(VIEW, list(hash_get("rows", ["a"])))
    assert store.switch(VIEW, Place("1-b", 4))
    after = await views.read(VIEW, list(hash_get("rows", ["a"])))

    assert before == Answer(0, "1-a", [[None]])
    assert after == Answer(4, "1-b", [[b"new"]])


@pytest.mark.rule("VIEW-03")
async def test_a_view_without_a_live_generation_is_unavailable(
    store: Store, views: Views
):
    assert store.write([step()], ())

    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, [hash_all("rows")])


async def test_a_live_generation_of_another_layout_is_unavailable(
    store: Store, views: Views
):
    go_live(store, "1-a")

    with pytest.raises(ViewUnavailable):
        await views.read(View("books", layout=2), [hash_all("rows")])


@pytest.mark.rule("VIEW-05")
def test_a_generation_behind_the_live_one_does_not_become_live(store: Store):
    go_live(store)
    assert store.write([step(expected=0, reached=5, live=True)], ())
    assert store.write([step(generation="1-b", reached=4)], ())

    assert not store.switch(VIEW, Place("1-b", 4))
    assert store.write([step(generation="1-b", expected=4, reached=5)], ())
    assert store.switch(VIEW, Place("1-b", 5))


def test_a_generation_that_is_not_where_it_was_left_does_not_become_live(
    store: Store,
):
    assert store.write([step(reached=4)], ())

    assert not store.switch(VIEW, Place("1-a", 3))
    assert not store.switch(VIEW, Place("1-z", 4))


async def test_a_retired_generation_is_live_no_longer(store: Store, views: Views):
    go_live(store)

    store.retire(VIEW, "1-other")
    assert (await views.read(VIEW, [])).generation == "1-a"
    store.retire(VIEW, "1-a")

    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, [])


def test_what_a_generation_holds_can_be_listed(store: Store):
    rows = {str(n): "x" for n in range(1_500)}
    commands = [*hash_set("rows", rows), *sorted_add("set:1", [(1, "a"), (2, "b")])]
    assert store.write([step(*commands), step(view=OTHER)], ())

    found = {
        (key, kind): {m for page in store.members(VIEW, "1-a", key, kind) for m in page}
        for key, kind in store.keys(VIEW, "1-a")
    }

    assert found[("set:1", "zset")] == {b"a", b"b"}
    assert found[("rows", "hash")] == {n.encode() for n in rows}
    assert len(found) == 2


def test_a_dropped_generation_leaves_nothing_and_a_live_one_stays(store: Store):
    go_live(store)
    assert store.write([step(*hash_set("rows", {"a": "1"}), generation="1-b")], ())
    assert store.generations(VIEW) == ["1-a", "1-b"]

    store.drop(VIEW, "1-b")
    store.drop(VIEW, "1-a")

    assert store.generations(VIEW) == ["1-a"]
    assert list(store.keys(VIEW, "1-b")) == []
    assert store.read([Request(VIEW, [], "1-b")]) == [None]
    assert store.read([Request(VIEW, [], "1-a")]) != [None]


# --- what only a real server can show ---


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


async def test_a_server_that_forgot_the_scripts_is_told_them_again(
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

    commands = [*hash_set("rows", {"a": "1"}), *hash_set("torn", {"a": "1"})]
    with pytest.raises(StoreDown):
        redis_store.write(
            [
                step(view=OTHER, expected=0, reached=5),
                step(*commands, expected=0, reached=5),
            ],
            (),
        )

    requests = [Request(VIEW, [], "1-a"), Request(OTHER, [], "1-a")]
    assert redis_store.read(requests) == [None, None]


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


async def test_a_server_that_is_away_is_told_as_such():
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
        # Each time a turn of the loop later: connecting, sending, waiting.
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

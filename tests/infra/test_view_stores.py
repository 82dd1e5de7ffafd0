"""The contract of the stores of read models, in memory and on real servers."""

from collections.abc import AsyncIterator, Generator

import pytest

from infra.views.postgres_views import PostgresViews
from infra.views.redis_commands import WORDS_MAX
from infra.views.redis_store import RedisStore, RedisViews
from projections.store import (
    AddEntries,
    Change,
    DeleteRows,
    KeepHighest,
    LiveViews,
    Place,
    PutRows,
    Read,
    ReadAllRows,
    ReadBetween,
    ReadHighest,
    ReadLowest,
    ReadResult,
    ReadRows,
    ReadScores,
    RemoveEntries,
    RemoveFrom,
    Request,
    Step,
    Store,
    View,
    Views,
    ViewUnavailable,
)
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.view_stores import ALL, empty_store

VIEW = View("books")
OTHER = View("shelves")


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest) -> Generator[Store]:
    with empty_store(request) as store:
        yield store


@pytest.fixture
async def views(
    store: Store, request: pytest.FixtureRequest
) -> AsyncIterator[LiveViews]:
    if isinstance(store, MemoryStore):
        yield MemoryViews(store)
        return
    if isinstance(store, RedisStore):
        real = RedisViews(request.getfixturevalue("redis_url"))
    else:
        real = PostgresViews(request.getfixturevalue("database_url"))
    yield real
    await real.close()


def step(
    *changes: Change,
    view: View = VIEW,
    generation: str = "1-a",
    expected: int | None = None,
    reached: int = 0,
    live: bool = False,
) -> Step:
    return Step(view, generation, expected, reached, live, changes)


def read(store: Store, *reads: Read, generation: str = "1-a") -> ReadResult:
    (answer,) = store.read([Request(VIEW, reads, generation)])
    assert answer is not None
    return answer


def go_live(store: Store, generation: str = "1-a", *, view: View = VIEW) -> None:
    assert store.write([step(view=view, generation=generation)], ())
    assert store.switch(view, Place(generation, 0))


@pytest.mark.rule("VIEW-01")
def test_a_write_moves_the_checkpoint_with_the_rows(store: Store):
    assert store.write([step(PutRows("rows", {"a": "1", "b": "2"}))], ())
    assert store.write([step(PutRows("rows", {"a": "3"}), expected=0, reached=7)], ())

    answer = read(store, ReadRows("rows", ["a", "b", "c"]))

    assert answer == ReadResult(7, "1-a", [[b"3", b"2", None]])


def test_rows_leave_by_their_keys(store: Store):
    assert store.write([step(PutRows("rows", {"a": "1", "b": "2", "c": "3"}))], ())
    gone = DeleteRows("rows", ["a", "c", "never there"])
    assert store.write([step(gone, expected=0, reached=1)], ())

    assert read(store, ReadAllRows("rows")).replies == [[b"b", b"2"]]


@pytest.mark.rule("VIEW-01")
@pytest.mark.parametrize("wrong", [None, 6, 8])
def test_a_write_on_another_checkpoint_than_expected_does_nothing(
    store: Store, wrong: int | None
):
    assert store.write([step(reached=7)], ())

    written = store.write(
        [step(PutRows("rows", {"a": "1"}), expected=wrong, reached=9)], ()
    )

    assert not written
    assert read(store, ReadAllRows("rows")) == ReadResult(7, "1-a", [[]])


@pytest.mark.rule("VIEW-01")
def test_one_wrong_expectation_keeps_all_steps_from_being_written(store: Store):
    assert store.write([step(), step(view=OTHER)], ())

    written = store.write(
        [
            step(PutRows("rows", {"a": "1"}), expected=0, reached=5),
            step(view=OTHER, expected=3, reached=5),
        ],
        (),
    )

    assert not written
    assert read(store, ReadAllRows("rows")).checkpoint == 0


def test_a_generation_being_filled_is_not_written_as_live_nor_the_reverse(store: Store):
    go_live(store)

    assert not store.write([step(expected=0, reached=1, live=False)], ())
    assert store.write([step(expected=0, reached=1, live=True)], ())
    assert store.write([step(generation="1-b")], ())
    assert not store.write(
        [step(generation="1-b", expected=0, reached=1, live=True)], ()
    )


def test_a_sorted_set_is_read_from_both_ends(store: Store):
    pairs = [(3, "c"), (1, "a"), (2, "b")]
    assert store.write([step(AddEntries("set", pairs))], ())

    answer = read(
        store, ReadHighest("set", 2), ReadLowest("set", 2), ReadHighest("set", 0)
    )

    assert answer.replies == [[b"c", b"b"], [b"a", b"b"], [b"c", b"b", b"a"]]


def test_entries_of_one_score_are_ordered_by_the_bytes_of_their_members(store: Store):
    entries = [(1, "b"), (1, "B"), (1, "\u00e4"), (2, "A"), (1, "a")]
    assert store.write([step(AddEntries("set", entries))], ())

    up = ReadBetween("set", after=0, until=2, highest_first=False, count=9)
    down = ReadBetween("set", after=None, until=None, highest_first=True, count=3)
    answer = read(store, up, down, ReadLowest("set", 3))

    ordered = [b"B", b"a", b"b", "\u00e4".encode()]
    assert answer.replies == [
        [word for member in ordered for word in (member, b"1")],
        [b"A", b"2", "\u00e4".encode(), b"1", b"b", b"1"],
        [b"B", b"a", b"b"],
    ]


def test_the_scores_of_members_are_exact(store: Store):
    assert store.write([step(AddEntries("set", [(3, "c"), (10**15, "a")]))], ())

    answer = read(store, ReadScores("set", [(10**15, "a"), (2, "b"), (3, "c")]))

    assert answer.replies == [[b"1000000000000000", None, b"3"]]


def test_scores_are_exclusive_bounds(store: Store):
    pairs = [(n, f"m{n}") for n in range(1, 7)]
    assert store.write([step(AddEntries("set", pairs))], ())

    up = ReadBetween("set", after=2, until=6, highest_first=False, count=2)
    down = ReadBetween("set", after=1, until=None, highest_first=True, count=2)
    answer = read(store, up, down)

    assert answer.replies == [
        [b"m3", b"3", b"m4", b"4"],
        [b"m6", b"6", b"m5", b"5"],
    ]


def test_members_of_a_sorted_set_leave_by_name_by_score_and_by_age(store: Store):
    pairs = [(n, f"m{n}") for n in range(1, 9)]
    commands = [
        AddEntries("set", pairs),
        RemoveEntries("set", [(2, "m2"), (9, "m9")]),
        RemoveFrom("set", 7),
        KeepHighest("set", 3),
        KeepHighest("none", 3),
    ]
    assert store.write([step(*commands)], ())

    assert read(store, ReadLowest("set", 0)).replies == [[b"m4", b"m5", b"m6"]]


def test_a_change_may_be_larger_than_one_command_of_redis(store: Store):
    rows = {str(n): "x" for n in range(WORDS_MAX)}
    pairs = [(n, str(n)) for n in range(WORDS_MAX)]
    commands = [PutRows("rows", rows), AddEntries("set", pairs)]
    assert store.write([step(*commands)], ())

    keys, scores = list(rows), ReadScores("set", pairs)
    answer = read(
        store,
        ReadRows("rows", [*keys, "none"]),
        scores,
        ReadRows("rows", []),
        ReadAllRows("rows"),
        ReadLowest("set", 0),
    )

    assert answer.replies[0] == [b"x"] * WORDS_MAX + [None]
    assert answer.replies[1] == [member.encode() for _, member in pairs]
    assert [len(reply) for reply in answer.replies[2:]] == [
        0,
        2 * WORDS_MAX,
        WORDS_MAX,
    ]


def test_the_largest_score_is_kept_exactly(store: Store):
    largest = 2**53 - 1
    assert store.write([step(AddEntries("set", [(largest, "m")]))], ())

    page = ReadBetween("set", after=None, until=None, highest_first=True, count=1)
    ((member, score),) = [tuple(read(store, page).replies[0])]

    assert (member, int(score or 0)) == (b"m", largest)


@pytest.mark.rule("VIEW-03")
async def test_readers_find_the_live_generation_by_themselves(
    store: Store, views: Views
):
    go_live(store)
    assert store.write([step(generation="1-b")], ())
    row = PutRows("rows", {"a": "new"})
    assert store.write([step(row, generation="1-b", expected=0, reached=4)], ())

    before = await views.read(VIEW, [ReadRows("rows", ["a"])])
    assert store.switch(VIEW, Place("1-b", 4))
    after = await views.read(VIEW, [ReadRows("rows", ["a"])])

    assert before == ReadResult(0, "1-a", [[None]])
    assert after == ReadResult(4, "1-b", [[b"new"]])


@pytest.mark.rule("VIEW-03")
async def test_a_view_without_a_live_generation_is_unavailable(
    store: Store, views: Views
):
    assert store.write([step()], ())

    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, [ReadAllRows("rows")])


async def test_a_live_generation_of_another_layout_is_unavailable(
    store: Store, views: Views
):
    go_live(store, "1-a")

    with pytest.raises(ViewUnavailable):
        await views.read(View("books", layout=2), [ReadAllRows("rows")])


@pytest.mark.rule("VIEW-03")
async def test_views_that_are_read_together_are_at_one_log_position(
    store: Store, views: Views
):
    go_live(store)
    go_live(store, view=OTHER)
    assert store.write([step(expected=0, reached=5, live=True)], ())
    both = [Request(VIEW, ()), Request(OTHER, ())]

    with pytest.raises(ViewUnavailable, match=OTHER.name):
        await views.read_at_once(both)

    caught_up = step(view=OTHER, expected=0, reached=5, live=True)
    assert store.write([caught_up], ())
    together = await views.read_at_once(both)
    assert [each.checkpoint for each in together] == [5, 5]


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


@pytest.mark.rule("VIEW-04")
async def test_a_query_that_met_damage_retires_the_live_generation(
    store: Store, views: LiveViews
):
    go_live(store)

    await views.retire(VIEW, "1-other")
    assert (await views.read(VIEW, [])).generation == "1-a"

    await views.retire(VIEW, "1-a")
    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, [])
    assert store.generations(VIEW) == ["1-a"]


async def test_a_retired_generation_is_live_no_longer(store: Store, views: Views):
    go_live(store)

    store.retire(VIEW, "1-other")
    assert (await views.read(VIEW, [])).generation == "1-a"
    store.retire(VIEW, "1-a")

    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, [])


def test_what_a_generation_holds_can_be_listed(store: Store):
    rows = {str(n): "x" for n in range(1_500)}
    commands = [PutRows("rows", rows), AddEntries("set:1", [(1, "a"), (2, "b")])]
    assert store.write([step(*commands), step(view=OTHER)], ())

    keys = {key for page in store.keys(VIEW, "1-a", "rows") for key in page}
    entries = {each for page in store.entries(VIEW, "1-a", "set:1") for each in page}

    assert set(store.tables(VIEW, "1-a")) == {"rows"}
    assert set(store.collections(VIEW, "1-a")) == {"set:1"}
    assert keys == {n.encode() for n in rows}
    assert entries == {(1, b"a"), (2, b"b")}


def test_a_dropped_generation_leaves_nothing_and_a_live_one_stays(store: Store):
    go_live(store)
    assert store.write([step(PutRows("rows", {"a": "1"}), generation="1-b")], ())
    assert store.generations(VIEW) == ["1-a", "1-b"]

    assert store.drop(VIEW, "1-b")
    assert store.drop(VIEW, "1-a")
    assert store.drop(VIEW, "1-never")

    assert store.generations(VIEW) == ["1-a"]
    assert list(store.tables(VIEW, "1-b")) == []
    assert store.read([Request(VIEW, [], "1-b")]) == [None]
    assert store.read([Request(VIEW, [], "1-a")]) != [None]

"""The runner follows the log and recovers from any change to the store."""

import contextlib
import itertools
import threading
from collections.abc import Sequence

import pytest

from commands.ports import LogLost, LogUnavailable
from domain.events.register import Fact, Recorded
from domain.ids import LogPosition
from processors import filling
from processors.follower import Overtaken, follow_log
from processors.host import begin
from processors.rebuild import verify
from processors.runner import Runner
from projections.projection import Projection
from projections.register import NAMES, PROJECTIONS
from projections.store import Message, Request, Step, StoreDown, View
from tests.processors.conftest import flush
from tests.support.facts import batches, extend, log_of, segment
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader
from tests.support.memory_store import MemoryStore
from tests.support.view_stores import AnyStore
from tests.support.views import dump, live_host

FACTS = Flow(5).run(700)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
REST = FACTS[len(HALF) :]


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str]]:
    """The contents of a store after one write of all facts."""
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    return dump(store)


def runner_on(log: MemoryLogReader, store: AnyStore) -> Runner:
    """Return a runner without pauses, whose ids differ from those of other runners."""
    numbers = itertools.count()
    return Runner(
        log, store, new_id=lambda: f"{next(numbers)}-{id(numbers)}", pace_seconds=0
    )


def follow(runner: Runner, store: AnyStore, head: LogPosition) -> None:
    """Do rounds, as the main loop does, until every view is live and at the head."""
    shown: list[LogPosition | None] = []
    for _ in range(1_000):
        try:
            runner.round()
        except Overtaken:
            runner.forget()
        answers = store.read([Request(each.view, ()) for each in PROJECTIONS])
        shown = [answer and answer.checkpoint for answer in answers]
        if shown == [head] * len(shown):
            return
    pytest.fail(f"the views do not reach {head}: {shown}")


@pytest.mark.rule("VIEW-04")
def test_an_empty_store_is_filled_from_the_log(
    store: AnyStore, expected: dict[str, list[str]]
):
    follow(runner_on(log_of(FACTS), store), store, len(FACTS))

    assert dump(store) == expected


def test_an_empty_log_has_views_that_can_be_read(store: AnyStore):
    follow(runner_on(MemoryLogReader(), store), store, 0)

    answers = store.read([Request(each.view, ()) for each in PROJECTIONS])

    assert [answer and answer.checkpoint for answer in answers] == [0] * len(NAMES)


def test_the_views_follow_the_log(store: AnyStore, expected: dict[str, list[str]]):
    log = log_of(HALF)
    runner = runner_on(log, store)
    follow(runner, store, len(HALF))

    for batch in batches(REST, [3] * len(REST)):
        extend(log, batch)
        runner.round()

    assert dump(store) == expected


def test_a_log_with_gaps_is_followed():
    store, log = MemoryStore(), MemoryLogReader()
    runner = runner_on(log, store)
    for batch in batches(FACTS, [40] * len(FACTS)):
        # A failed append uses up log positions too.
        with contextlib.suppress(LogLost):
            taken = [Recorded(f.stream, f.version, f.event) for f in FACTS[:3]]
            log.extend([*taken, *taken])
        log.extend([Recorded(f.stream, f.version, f.event) for f in batch])
        runner.round()
    assert log.head() > len(FACTS)

    follow(runner, store, log.head())

    reports = verify(log, store, new_id=lambda: "proof")
    assert [each.differing for each in reports] == [0] * len(NAMES)


def test_a_runner_goes_on_where_the_one_before_it_stopped(
    store: AnyStore, expected: dict[str, list[str]]
):
    log = log_of(HALF)
    follow(runner_on(log, store), store, len(HALF))
    generations = [store.generations(each.view) for each in PROJECTIONS]
    extend(log, REST)

    follow(runner_on(log, store), store, len(FACTS))

    assert dump(store) == expected
    assert [store.generations(each.view) for each in PROJECTIONS] == generations


@pytest.mark.rule("VIEW-04")
@pytest.mark.parametrize("rounds", range(1, 8))
def test_a_flushed_store_heals_whenever_it_is_flushed(
    store: AnyStore,
    expected: dict[str, list[str]],
    rounds: int,
    request: pytest.FixtureRequest,
):
    runner = runner_on(log_of(FACTS), store)
    for _ in range(rounds):
        runner.round()

    flush(store, request)
    follow(runner, store, len(FACTS))

    assert dump(store) == expected


@pytest.mark.rule("VIEW-04")
def test_a_flush_is_noticed_while_nothing_happens(
    store: AnyStore, request: pytest.FixtureRequest
):
    runner = runner_on(log_of(FACTS), store)
    follow(runner, store, len(FACTS))
    flush(store, request)

    with pytest.raises(Overtaken):
        runner.round()


@pytest.mark.rule("VIEW-04")
def test_one_lost_view_is_filled_while_the_others_go_on(
    expected: dict[str, list[str]],
):
    store = MemoryStore()
    log = log_of(HALF)
    follow(runner_on(log, store), store, len(HALF))
    del store.live["tape"]
    extend(log, REST)
    runner = runner_on(log, store)

    follow(runner, store, len(FACTS))

    assert dump(store) == expected


class TapeInAnotherForm(Projection):
    """A tape whose rows have a new layout."""

    view = View("tape", layout=2)


def test_rows_of_a_new_layout_replace_the_old_ones():
    store = MemoryStore()
    log = log_of(FACTS)
    follow(runner_on(log, store), store, len(FACTS))
    runner = Runner(log, store, new_id=lambda: "x", types=[TapeInAnotherForm])

    for _ in range(20):
        runner.round()

    assert store.live["tape"] == "2-rx"
    assert store.generations(View("tape")) == ["2-rx"]


OTHER = Flow(6).run(300)


@pytest.mark.rule("VIEW-04")
@pytest.mark.parametrize("log", [OTHER, OTHER[:0], FACTS[: len(HALF)]])
def test_views_of_another_log_are_filled_from_this_one(
    store: AnyStore, log: list[Fact]
):
    follow(runner_on(log_of(FACTS), store), store, len(FACTS))
    runner = runner_on(log_of(log) if log else MemoryLogReader(), store)

    follow(runner, store, len(log))

    expected = MemoryStore()
    live_host(expected).apply(segment(log)) if log else live_host(expected)
    assert dump(store) == dump(expected)
    runner.round()
    for each in PROJECTIONS:
        assert len(store.generations(each.view)) <= 2


def test_a_log_that_is_taken_away_is_noticed_while_nothing_happens():
    store = MemoryStore()
    log = log_of(FACTS)
    runner = runner_on(log, store)
    follow(runner, store, len(FACTS))
    log.__init__()

    with pytest.raises(Overtaken):
        runner.round()


def test_two_runners_at_once_do_no_harm(expected: dict[str, list[str]]):
    store = MemoryStore()
    log = log_of(HALF)
    first, second = runner_on(log, store), runner_on(log, store)
    follow(first, store, len(HALF))
    follow(second, store, len(HALF))

    for batch in batches(REST, [50] * 100):
        extend(log, batch)
        for runner in (first, second):
            try:
                runner.round()
            except Overtaken:
                runner.forget()
    follow(first, store, len(FACTS))

    assert dump(store) == expected


# --- the top loop ---


class OutageStore(MemoryStore):
    """A store whose first writes raise the listed errors, last one first."""

    def __init__(self, failures: Sequence[Exception]) -> None:
        super().__init__()
        self.failures = list(failures)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        if self.failures:
            raise self.failures.pop()
        return super().write(steps, messages)


class StoppingLog(MemoryLogReader):
    """A log that ends the loop when the views have nothing left to do."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def wait(self, after: LogPosition, seconds: float) -> bool:
        if not super().wait(after, 0) and seconds:
            self._stop.set()
        return super().wait(after, 0)


def test_the_loop_outlives_whatever_fails(expected: dict[str, list[str]]):
    stop = threading.Event()
    store = OutageStore(
        [StoreDown("away"), LogUnavailable("away"), Overtaken(), KeyError("a bug")]
    )
    log = StoppingLog(stop)
    extend(log, FACTS)

    follow_log(log, [Runner(log, store, new_id=lambda: "x")], stop)

    assert dump(store) == expected


def test_a_runner_whose_turn_it_is_not_writes_nothing():
    stop = threading.Event()
    store = MemoryStore()

    def may_work() -> bool:
        stop.set()
        return False

    log = log_of(FACTS)
    runner = Runner(log, store, new_id=lambda: "x")
    follow_log(log, [runner], stop, may_work=may_work)

    assert store.generations(PROJECTIONS[0].view) == []


def test_a_runner_that_is_behind_goes_on_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("processors.runner.BATCH", 20)
    log, store = log_of(HALF), MemoryStore()
    runner = runner_on(log, store)
    follow(runner, store, len(HALF))
    extend(log, REST)

    rounds = [runner.round()]
    while rounds[-1] is None:
        rounds.append(runner.round())

    assert rounds[-1] == len(FACTS)
    assert len(rounds) > len(REST) // 40


def rows_of(store: MemoryStore) -> int:
    """Count what all generations of all views contain."""
    return sum(
        len(store.contents(each.view, generation))
        for each in PROJECTIONS
        for generation in store.generations(each.view)
    )


class CrampedStore(MemoryStore):
    """A store with room for 1.5 times all views, which fails once before it is full."""

    def __init__(self, rows_of_all: int) -> None:
        super().__init__()
        self._rows_of_all = rows_of_all
        self._failed = False

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        rows = rows_of(self)
        if not self._failed and rows > self._rows_of_all * 0.8:
            self._failed = True
            raise StoreDown("a moment of weakness")
        if rows > self._rows_of_all * 1.5:
            raise StoreDown("no room for more")
        return super().write(steps, messages)


@pytest.mark.rule("VIEW-04")
def test_a_filling_that_was_broken_off_makes_room_for_the_next(
    expected: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(filling, "BATCH", 50)
    full = MemoryStore()
    live_host(full).apply(segment(FACTS))
    store = CrampedStore(rows_of(full))
    runner = runner_on(log_of(FACTS), store)

    for _ in range(1_000):
        try:
            runner.round()
        except (Overtaken, StoreDown):
            runner.forget()

    assert dump(store) == expected


def test_what_is_left_behind_is_dropped_under_constant_load():
    store = MemoryStore()
    log = log_of(HALF)
    runner = runner_on(log, store)
    follow(runner, store, HALF[-1].position)
    begin(store, PROJECTIONS, "r-abandoned")
    runner.forget()
    runner.round()
    left = generations_of(store)

    for facts in batches(REST, itertools.repeat(1)):
        extend(log, facts)
        runner.round()

    assert len(generations_of(store)) < len(left)


def generations_of(store: MemoryStore) -> list[str]:
    """Return all generations of all views."""
    return [each for view in PROJECTIONS for each in store.generations(view.view)]

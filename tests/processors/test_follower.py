"""A follower misses no fact and detects that the log was replaced."""

import threading
from random import Random
from time import monotonic

import pytest

from commands.ports import LogLost, LogUnavailable, Segment
from domain.ids import LogPosition
from processors.follower import (
    STEPS_SAVED_MAX,
    FactsMissed,
    Overtaken,
    SharedReader,
    beyond,
    follow_log,
    next_segment,
    whole_commands,
)
from tests.support.facts import batches, extend, log_of, segment
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader
from tests.support.memory_store import MemoryStore
from tests.support.views import dump, live_host

FACTS = Flow(8).run(60)


def test_a_consumer_gets_the_facts_that_it_has_not_applied():
    part = Segment(4, FACTS[4:9])

    assert beyond(part, 4) == FACTS[4:9]
    assert beyond(part, 7) == FACTS[7:9]
    assert beyond(part, 9) == []


@pytest.mark.rule("VIEW-07")
@pytest.mark.parametrize("position", [0, 3, 10])
def test_a_segment_from_elsewhere_is_refused(position: LogPosition):
    with pytest.raises(FactsMissed):
        beyond(Segment(4, FACTS[4:9]), position)


@pytest.mark.rule("VIEW-07")
def test_a_host_applies_nothing_of_a_segment_that_leaves_facts_out():
    store = MemoryStore()
    host = live_host(store)
    host.apply(segment(FACTS[:20]))
    before = dump(store)

    with pytest.raises(FactsMissed):
        host.apply(Segment(FACTS[25].position, FACTS[26:]))

    assert dump(store) == before


def test_a_consumer_at_a_position_without_a_fact_is_refused():
    log = log_of(FACTS)

    assert next_segment(log, len(FACTS), 10) == Segment(len(FACTS), [])
    with pytest.raises(FactsMissed):
        next_segment(log, len(FACTS) + 1, 10)


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_cut_segments_continue_one_another_and_end_with_commands(size: int):
    parts = list(whole_commands(segment(FACTS), size))

    assert [fact for part in parts for fact in part.facts] == FACTS
    assert [part.before for part in parts] == [0, *[p.reached for p in parts[:-1]]]
    ends = [part.facts[-1].event.meta.command_id for part in parts]
    assert len(set(ends)) == len(ends)


class Scripted:
    """A follower that plays a list of outcomes, one a round, then ends the loop."""

    name = "scripted"

    def __init__(
        self,
        stop: threading.Event,
        *rounds: Exception | LogPosition | None,
        pace_seconds: float = 0,
    ) -> None:
        self.pace_seconds = pace_seconds
        self._stop = stop
        self._rounds = iter(rounds)
        self.done: list[str] = []

    def round(self) -> LogPosition | None:
        outcome = next(self._rounds, self._stop)
        if outcome is self._stop:
            self._stop.set()
        if isinstance(outcome, Exception):
            self.done.append(type(outcome).__name__)
            raise outcome
        self.done.append("round")
        return outcome if isinstance(outcome, int) else None

    def forget(self) -> None:
        self.done.append("forget")


def test_a_follower_that_fails_forgets_and_begins_again():
    stop = threading.Event()
    follower = Scripted(stop, Overtaken("gone"), LogUnavailable("away"), KeyError(), 0)

    follow_log(MemoryLogReader(), [follower], stop)

    assert follower.done == [
        *("Overtaken", "forget"),
        *("LogUnavailable", "forget"),
        *("KeyError", "forget"),
        *("round", "round"),
    ]


def test_a_follower_that_fails_does_not_block_another():
    stop = threading.Event()
    well = Scripted(stop, *[None] * 50)
    ill = Scripted(stop, *[LogUnavailable("away")] * 50)

    follow_log(MemoryLogReader(), [ill, well], stop)

    assert well.done == ["round"] * 51
    assert len(ill.done) < 50


def test_a_follower_keeps_its_pace_and_slows_no_other():
    stop = threading.Event()
    log = log_of(FACTS)
    slow = Scripted(stop, *range(100), pace_seconds=0.02)
    quick = Scripted(stop, *range(100))
    started = monotonic()

    follow_log(log, [slow, quick], stop)

    assert quick.done == ["round"] * 101
    rounds = len(slow.done)
    assert (rounds - STEPS_SAVED_MAX) * 0.02 <= monotonic() - started + 0.02


def test_a_follower_takes_some_steps_at_once_after_a_quiet_time():
    stop = threading.Event()
    slow = Scripted(stop, *range(STEPS_SAVED_MAX), pace_seconds=3_600)
    timer = threading.Timer(20, stop.set)
    timer.start()

    class Stopping(MemoryLogReader):
        def wait(self, after: LogPosition, seconds: float) -> bool:
            if len(slow.done) == STEPS_SAVED_MAX:
                stop.set()
            return super().wait(after, min(seconds, 0))

    follow_log(Stopping(), [slow, Scripted(stop, *[0] * 10_000)], stop)

    timer.cancel()
    assert slow.done == ["round"] * STEPS_SAVED_MAX


def test_followers_wait_until_the_log_grows():
    stop = threading.Event()
    waited: list[LogPosition] = []

    class WaitedFor(MemoryLogReader):
        def wait(self, after: LogPosition, seconds: float) -> bool:
            waited.append(after)
            return super().wait(after, min(seconds, 0))

    follow_log(WaitedFor(), [Scripted(stop, 7, 5), Scripted(stop, 4, None)], stop)

    assert waited[0] == 4
    assert 5 not in waited, "there is more to do at once"


def test_no_follower_works_out_of_turn():
    stop = threading.Event()
    follower = Scripted(stop)

    def may_work() -> bool:
        stop.set()
        return False

    follow_log(MemoryLogReader(), [follower], stop, may_work=may_work)

    assert follower.done == ["forget"]


class LostLog(MemoryLogReader):
    """A log that can be replaced by another."""

    lost = False

    def read(self, after: LogPosition, limit: int) -> Segment:
        if self.lost:
            raise LogLost
        return super().read(after, limit)


class CountingLog(MemoryLogReader):
    """Counts the facts that it hands out."""

    handed_out = 0

    def read(self, after: LogPosition, limit: int) -> Segment:
        segment = super().read(after, limit)
        self.handed_out += len(segment.facts)
        return segment


def test_followers_of_one_thread_read_each_fact_once():
    log = CountingLog()
    shared = SharedReader(log)
    slow = 0
    for batch in batches(FACTS, [9] * len(FACTS)):
        extend(log, batch)
        read = shared.read(batch[0].position - 1, 1_000)
        assert read.facts == batch
        if batch[0].position % 2:
            # Its segments end elsewhere than those of the other follower.
            late = shared.read(slow, 5)
            assert late == MemoryLogReader.read(log, slow, 5)
            slow = late.reached

    assert log.handed_out == len(FACTS)
    assert shared.head() == len(FACTS)


@pytest.mark.parametrize("kept", [1, 10, 40, 10_000])
def test_a_shared_reader_reads_what_the_log_has(
    kept: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("processors.follower.FACTS_KEPT", kept)
    log = log_of(FACTS)
    shared = SharedReader(log)
    random = Random(kept)

    for _ in range(300):
        after = random.choice([0, *(fact.position for fact in FACTS)])
        limit = random.randint(1, len(FACTS))
        part = shared.read(after, limit)
        end = log.read(after, limit).reached
        assert part == Segment(
            after, [f for f in FACTS if after < f.position <= part.reached]
        )
        assert part.reached <= end
        assert bool(part.facts) == (after < len(FACTS))


def test_a_shared_reader_keeps_a_bounded_number_of_facts(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("processors.follower.FACTS_KEPT", 20)
    log = CountingLog()
    extend(log, FACTS)
    shared = SharedReader(log)
    ends = [0]
    while (part := shared.read(ends[-1], 5)).facts:
        ends.append(part.reached)
    once = log.handed_out

    recent = [end for end in ends[:-1] if end >= len(FACTS) - 20]
    assert recent
    assert all(shared.read(end, 5).facts for end in recent)
    assert log.handed_out == once, "the newest facts are kept"
    old = [end for end in ends if end < len(FACTS) - 60]
    for end in old:
        before = log.handed_out
        assert shared.read(end, 5).facts
        assert log.handed_out > before, "older facts are not"


def test_a_shared_reader_keeps_nothing_of_a_log_that_was_replaced():
    log = LostLog()
    extend(log, FACTS)
    shared = SharedReader(log)
    shared.read(0, len(FACTS))
    log.lost = True
    with pytest.raises(LogLost):
        shared.read(len(FACTS), 10)

    with pytest.raises(LogLost):
        shared.read(0, 10)


def test_a_shared_reader_sees_the_log_grow():
    log = log_of(FACTS[:-1])
    shared = SharedReader(log)

    assert shared.read(len(FACTS) - 1, 10).facts == []
    extend(log, FACTS[-1:])

    assert shared.read(len(FACTS) - 1, 10).facts == FACTS[-1:]

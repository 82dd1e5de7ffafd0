"""A follower misses no fact and detects that the log was replaced."""

import threading

import pytest

from commands.ports import LogUnavailable, Segment
from domain.ids import LogPosition
from processors.following import (
    FactsMissed,
    Overtaken,
    beyond,
    follow_log,
    next_segment,
    whole_commands,
)
from tests.support.facts import log_of, segment
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
def test_a_segment_from_elsewhere_is_no_continuation(position: LogPosition):
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


def test_a_position_that_no_fact_has_is_not_read_on_from():
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
        self, stop: threading.Event, *rounds: Exception | LogPosition | None
    ) -> None:
        self._stop = stop
        self._rounds = iter(rounds)
        self.done: list[str] = []

    def round(self) -> LogPosition | None:
        told = next(self._rounds, self._stop)
        if told is self._stop:
            self._stop.set()
        if isinstance(told, Exception):
            self.done.append(type(told).__name__)
            raise told
        self.done.append("round")
        return told if isinstance(told, int) else None

    def forget(self) -> None:
        self.done.append("forget")


def test_a_follower_in_trouble_forgets_and_begins_again():
    stop = threading.Event()
    follower = Scripted(stop, Overtaken("gone"), LogUnavailable("away"), KeyError(), 0)

    follow_log(MemoryLogReader(), [follower], stop)

    assert follower.done == [
        *("Overtaken", "forget"),
        *("LogUnavailable", "forget"),
        *("KeyError", "forget"),
        *("round", "round"),
    ]


def test_a_follower_in_trouble_holds_up_no_other():
    stop = threading.Event()
    well = Scripted(stop, *[None] * 50)
    ill = Scripted(stop, *[LogUnavailable("away")] * 50)

    follow_log(MemoryLogReader(), [ill, well], stop)

    assert well.done == ["round"] * 51
    assert len(ill.done) < 50


def test_followers_wait_until_the_log_goes_on():
    stop = threading.Event()
    waited: list[LogPosition] = []

    class WaitedFor(MemoryLogReader):
        def wait(self, after: LogPosition, seconds: float) -> bool:
            waited.append(after)
            return super().wait(after, min(seconds, 0))

    follow_log(WaitedFor(), [Scripted(stop, 7, 5), Scripted(stop, 4, None)], stop)

    assert waited[0] == 4
    assert 5 not in waited, "there is more to do at once"


def test_nobody_works_out_of_turn():
    stop = threading.Event()
    follower = Scripted(stop)

    def may_work() -> bool:
        stop.set()
        return False

    follow_log(MemoryLogReader(), [follower], stop, may_work=may_work)

    assert follower.done == ["forget"]

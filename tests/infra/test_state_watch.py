"""The watch logs each change of a server's state once."""

from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from commands.ports import LogLost
from commands.writer.leadership import WriterState
from domain.errors import Busy
from infra.observe.commits import Commits, ObservedEventStore
from infra.observe.requests import COMMANDS, PASSWORDS, Requests
from infra.observe.state_watch import STALE_SECONDS, Look, StateWatch
from tests.infra.sample_events import SampleStream
from tests.support.memory import MemoryEventStore


class Watched:
    """A watch with a clock of the test, and the lines that it logged."""

    def __init__(self, full: Mapping[str, int]) -> None:
        self.commits = Commits()
        self.seconds = 0.0
        self.watch = StateWatch(
            self._look, commits=self.commits, full=full, now=lambda: self.seconds
        )

    async def _look(self) -> Look:
        raise AssertionError

    def sees(
        self,
        head: int | None = 0,
        positions: dict[str, int | None] | None = None,
        **reasons: str,
    ) -> list[Any]:
        """Return the lines about one look, without their level."""
        with capture_logs() as lines:
            self.watch.see(Look(head, positions, reasons))
        return plain(lines)

    def sees_queues(self) -> list[Any]:
        with capture_logs() as lines:
            self.watch.see_queues()
        return plain(lines)

    def becomes(self, *states: WriterState, stopping: bool = False) -> list[Any]:
        with capture_logs() as lines:
            for state in states:
                self.watch.became(state, position=7, stopping=stopping)
        return plain(lines)


def plain(lines: list[Any]) -> list[Any]:
    return [{k: v for k, v in each.items() if k != "log_level"} for each in lines]


@pytest.fixture
async def watched() -> Watched:
    return Watched({})


async def test_a_store_that_goes_and_comes_leaves_two_lines(watched: Watched):
    assert watched.sees(5, {"a": 5}) == []

    assert watched.sees(None, {"a": 5}, postgres="refused") == [
        {"event": "postgres_down", "reason": "refused"}
    ]
    watched.seconds = 90
    assert watched.sees(None, None) == [
        {"event": "redis_down", "reason": "no answer in time"}
    ]
    assert watched.sees(None, None) == []
    watched.seconds = 100
    assert watched.sees(5, {"a": 5}) == [
        {"event": "postgres_up", "down_seconds": 100.0},
        {"event": "redis_up", "down_seconds": 10.0},
    ]
    assert watched.watch.reconnects == {"postgres": 1, "redis": 1}


async def test_a_view_that_is_filled_again_leaves_two_lines(watched: Watched):
    # A new server has none yet, which is no change.
    assert watched.sees(5, {"a": None, "b": None}) == []
    assert watched.sees(5, {"a": 5, "b": 5}) == [
        {"event": "views_refilled", "views": ["a", "b"]}
    ]

    assert watched.sees(5, {"a": None, "b": 5}) == [
        {"event": "views_unavailable", "views": ["a"]}
    ]
    assert watched.sees(5, {"a": None, "b": 5}) == []
    assert watched.sees(5, {"a": 5, "b": 5}) == [
        {"event": "views_refilled", "views": ["a"]}
    ]


async def test_a_view_that_does_not_follow_is_stale(watched: Watched):
    watched.sees(10, {"a": 10, "b": 10})

    for head in range(11, 20):
        watched.seconds += STALE_SECONDS / 2
        # Behind, as views always are under load, but they follow.
        assert watched.sees(head, {"a": head - 1, "b": head - 1}) == []
    watched.seconds += STALE_SECONDS
    assert watched.sees(30, {"a": 18, "b": 30}) == [
        {"event": "views_stale", "lag": {"a": 12}}
    ]
    assert watched.sees(40, {"a": 18, "b": 40}) == []
    assert watched.sees(40, {"a": 40, "b": 40}) == [
        {"event": "views_current", "views": ["a"]}
    ]


async def test_an_outage_does_not_make_a_view_stale(watched: Watched):
    watched.sees(10, {"a": 9})
    watched.sees(None, {"a": 9})
    watched.seconds += 10 * STALE_SECONDS

    assert [each["event"] for each in watched.sees(10, {"a": 9})] == ["postgres_up"]


async def test_the_lead_leaves_a_line_when_it_comes_and_goes(watched: Watched):
    leader, recovering, standby = (
        WriterState.LEADER,
        WriterState.RECOVERING,
        WriterState.STANDBY,
    )

    assert watched.becomes(leader) == [{"event": "leading", "log_position": 7}]
    lost, stands_by = watched.becomes(recovering, standby)
    assert lost["event"] == "lead_lost"
    assert lost["reason"] == "the lease or its heartbeat was lost"
    assert stands_by["event"] == "standing_by"
    assert [each["event"] for each in watched.becomes(recovering, leader)] == [
        "recovering",
        "leading",
    ]
    assert watched.watch.leads == 2
    assert watched.becomes(recovering, standby, stopping=True) == [
        {"event": "lead_returned"}
    ]


async def test_a_lost_lead_says_why_its_commit_failed(watched: Watched):
    watched.becomes(WriterState.LEADER)
    writer = ObservedEventStore(MemoryEventStore(), watched.commits).acquire()
    assert writer is not None
    events = SampleStream("a").events()
    writer.append(events)
    with capture_logs() as lines, pytest.raises(LogLost):
        writer.append(events)

    (line,) = plain(lines)
    reason = "another event has that place in its stream"
    assert line == {"event": "commit_in_doubt", "facts": 1, "reason": reason}
    (lost,) = watched.becomes(WriterState.RECOVERING)
    assert lost == {"event": "lead_lost", "reason": reason}
    assert watched.commits.in_doubt == 1


async def test_a_full_queue_leaves_a_line_a_change_not_a_request():
    requests = Requests()
    watched = Watched(requests.full)
    busy = {"bourse.refusals": (Busy.code,)}

    for _ in range(100):
        requests.observe(busy, "/v2/orders", "POST", 503, 0.001)
    requests.observe(busy, "/auth/login", "POST", 503, 0.001)

    assert watched.sees_queues() == [
        {"event": "queue_full", "queue": COMMANDS},
        {"event": "queue_full", "queue": PASSWORDS},
    ]
    requests.observe(busy, "/v2/orders", "POST", 503, 0.001)
    assert watched.sees_queues() == [
        {"event": "queue_has_room", "queue": PASSWORDS, "requests_refused": 1}
    ]
    assert watched.sees_queues() == [
        {"event": "queue_has_room", "queue": COMMANDS, "requests_refused": 101}
    ]
    assert requests.orders_refused == 101

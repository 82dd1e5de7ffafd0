"""The contract of every log, on any storage.

A test module of an adapter subclasses `EventStoreContract` and provides a `rig`.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

import pytest

from commands.companions import RolesOf, SignIn
from commands.ports import (
    Credentials,
    EventStore,
    LogLost,
    LogWriter,
    SecurityOutbox,
    Segment,
)
from domain.events.register import Fact
from domain.vocabulary import Role
from tests.infra.sample_events import STREAM, SampleStream
from tests.support.facts import recorded

Each = TypeVar("Each")
#: Long enough for a busy machine. A test that passes never waits that long.
PATIENCE = 20


class Rig(ABC):
    """One log under test, and the mishaps that a test can cause."""

    def __init__(
        self, store: EventStore, credentials: Credentials, outbox: SecurityOutbox
    ) -> None:
        self.store = store
        self.credentials = credentials
        self.outbox = outbox
        self._writers: list[LogWriter] = []

    def acquire(self) -> LogWriter:
        writer = self.store.acquire()
        assert writer is not None
        self._writers.append(writer)
        return writer

    @abstractmethod
    def lose_connection(self) -> None:
        """Cut the connection that the holder of the lease appends on."""

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


def flat(lists: Iterable[list[Each]]) -> list[Each]:
    return list(chain.from_iterable(lists))


def facts_of(segments: Iterable[Segment]) -> Iterator[list[Fact]]:
    return (list(each.facts) for each in segments)


class EventStoreContract:
    def test_an_empty_log_has_nothing_to_read(self, rig: Rig):
        reader = rig.store.reader

        assert reader.head() == 0
        assert reader.read(0, 10).facts == []
        assert list(reader.replay(0)) == []
        assert reader.find(STREAM, 1) is None

    def test_what_was_appended_is_read_as_it_was(self, rig: Rig):
        events = SampleStream().commands(2, 3)

        first = rig.acquire().append(events)

        facts = rig.store.reader.read(0, 10).facts
        assert recorded(facts) == events
        assert [fact.position for fact in facts] == list(range(first, first + 5))
        assert rig.store.reader.head() == first + 4

    def test_appends_follow_each_other_in_one_order(self, rig: Rig):
        writer = rig.acquire()
        apple, pear = SampleStream("market-APPLE"), SampleStream("market-PEAR")
        appends = [apple.events(2), pear.events(1), apple.events(1), pear.events(3)]

        firsts = [writer.append(events) for events in appends]

        assert firsts == sorted(firsts)
        assert recorded(rig.store.reader.read(0, 100).facts) == flat(appends)

    def test_a_fact_is_found_by_its_place(self, rig: Rig):
        events = SampleStream().events(3)
        first = rig.acquire().append(events)

        fact = rig.store.reader.find(STREAM, 2)

        assert fact == Fact(first + 1, STREAM, 2, events[1].event)
        assert rig.store.reader.find(STREAM, 4) is None

    @pytest.mark.parametrize(
        ("limit", "lengths"), [(1, 2), (2, 2), (3, 7), (4, 7), (7, 7), (8, 8), (9, 8)]
    )
    def test_reading_never_cuts_a_command(self, rig: Rig, limit: int, lengths: int):
        rig.acquire().append(SampleStream().commands(2, 5, 1))

        assert len(rig.store.reader.read(0, limit).facts) == lengths

    def test_reading_goes_on_where_it_ended(self, rig: Rig):
        events = SampleStream().commands(1, 2, 3, 4)
        rig.acquire().append(events)
        seen: list[Fact] = []

        place = 0
        while (segment := rig.store.reader.read(place, 2)).facts:
            assert segment.before == place
            seen += segment.facts
            place = segment.reached

        assert recorded(seen) == events

    def test_a_replay_is_the_whole_log_in_blocks_of_whole_commands(self, rig: Rig):
        events = SampleStream().commands(*[3] * 4_000)
        writer = rig.acquire()
        for start in range(0, len(events), 3_000):
            writer.append(events[start : start + 3_000])

        segments = list(rig.store.reader.replay(0))

        assert recorded(flat(facts_of(segments))) == events
        assert len(segments) > 1
        assert all(len(each.facts) % 3 == 0 for each in segments)
        befores = [each.before for each in segments]
        assert befores == [0, *[each.reached for each in segments[:-1]]]

    def test_a_replay_may_start_anywhere_and_end_early(self, rig: Rig):
        events = SampleStream().commands(*[1] * 12_000)
        first = rig.acquire().append(events)

        replay = rig.store.reader.replay(first + 9)

        segment = next(replay)
        assert recorded(segment.facts)[0] == events[10]
        assert segment.before == first + 9
        del replay
        assert list(rig.store.reader.replay(first + 11_999)) == []

    def test_a_segment_names_the_position_before_its_first_fact(self, rig: Rig):
        reader, stream = rig.store.reader, SampleStream()
        writer = rig.acquire()
        head = writer.append(stream.commands(2)) + 1
        with pytest.raises(LogLost):
            writer.append([stream.event(1, command="another")])
        writer.close()
        first = rig.acquire().append(stream.commands(1, 2))
        assert first > head + 1, "the lost append left a gap"

        segment = reader.read(head, 1)

        assert (segment.before, segment.reached) == (head, first)
        assert reader.read(0, 1).before == 0
        # No fact has a position in the gap, or beyond the head.
        assert reader.read(head + 1, 9).before == head
        assert reader.read(first + 90, 9) == Segment(first + 2, [])

    def test_waiting_ends_when_the_log_goes_on(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        head = writer.append(stream.events())
        results: list[bool] = []
        waiting = threading.Thread(
            target=lambda: results.append(rig.store.reader.wait(head, PATIENCE))
        )

        waiting.start()
        writer.append(stream.events())
        waiting.join(PATIENCE)

        assert results == [True]

    def test_waiting_for_what_is_there_takes_no_time(self, rig: Rig):
        head = rig.acquire().append(SampleStream().events())

        assert rig.store.reader.wait(head - 1, PATIENCE)
        assert not rig.store.reader.wait(head, seconds=0.01)

    def test_credentials_are_committed_with_their_facts(self, rig: Rig):
        stream = SampleStream()
        alice = SignIn("claim-a", "alice", "a1", "hash", (Role.TRADER,))
        bob = SignIn("claim-b", "bob", "b1", "another", (Role.TRADER,))

        rig.acquire().append(stream.events(2), [alice, bob])

        assert rig.credentials.of("claim-a") == alice
        assert rig.credentials.of("claim-b") == bob
        assert rig.credentials.of("claim-c") is None

    def test_roles_change_with_their_fact_also_within_one_append(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        alice = SignIn("claim-a", "alice", "a1", "hash", (Role.TRADER,))
        admin = (Role.TRADER, Role.ADMIN)

        writer.append(stream.events(2), [alice, RolesOf("alice", admin)])
        writer.append(stream.events(), [RolesOf("nobody", admin)])

        known = rig.credentials.of("claim-a")
        assert known is not None
        assert (known.roles, known.password_hash) == (admin, "hash")

    def test_an_append_that_is_refused_keeps_no_credentials(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        writer.append(stream.events(2))
        duplicate = stream.event(2, command="another")

        with pytest.raises(LogLost):
            writer.append([duplicate], [SignIn("claim", "alice", "a1", "hash", ())])

        assert rig.credentials.of("claim") is None

    def test_one_at_a_time_has_the_lease(self, rig: Rig):
        holder = rig.acquire()

        assert rig.store.acquire() is None
        assert holder.alive()

    def test_a_lease_given_back_is_free_at_once_and_of_the_next_epoch(self, rig: Rig):
        former = rig.acquire()
        former.close()
        former.close()

        holder = rig.acquire()

        assert holder.epoch > former.epoch
        assert (former.alive(), holder.alive()) == (False, True)
        with pytest.raises(LogLost):
            former.append(SampleStream().events())

    def test_a_place_that_is_taken_loses_the_log_and_records_nothing(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        writer.append(stream.events(2))
        duplicate = stream.event(2, command="another")

        with pytest.raises(LogLost):
            writer.append([*stream.events(1), duplicate])

        assert len(rig.store.reader.read(0, 10).facts) == 2
        assert not writer.alive()
        with pytest.raises(LogLost):
            writer.append(stream.events(1))

    def test_after_a_loss_the_lease_can_be_acquired_and_the_log_goes_on(self, rig: Rig):
        lost, stream = rig.acquire(), SampleStream()
        before = stream.events(2)
        lost.append(before)
        with pytest.raises(LogLost):
            lost.append([stream.event(1, command="another")])
        lost.close()

        after = stream.events(2)
        rig.acquire().append(after)

        assert recorded(rig.store.reader.read(0, 10).facts) == before + after
        assert recorded(flat(facts_of(rig.store.reader.replay(0)))) == before + after

    def test_a_lost_connection_is_never_made_again(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        writer.append(stream.events())

        rig.lose_connection()

        with pytest.raises(LogLost):
            writer.append(stream.events())
        assert not writer.alive()
        assert len(rig.store.reader.read(0, 10).facts) == 1
        assert rig.acquire().epoch > writer.epoch

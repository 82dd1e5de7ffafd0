"""The contract of every security outbox, on any storage."""

import pytest

from commands.companions import NoteRecorded
from commands.ports import LogLost
from domain.events.event import Meta
from domain.events.security import AccessRefused, LoginFailed
from infra.security.security_outbox import PENDING_MAX
from tests.infra.contract_event_store import Rig
from tests.infra.sample_events import AT, SampleStream


def failed(note_id: str) -> LoginFailed:
    return LoginFailed(Meta(AT, "anonymous", note_id, "request-1"), "claim")


def refused(note_id: str) -> AccessRefused:
    return AccessRefused(Meta(AT, "user", note_id), "POST /v2/admin/assets")


class SecurityOutboxContract:
    def test_notes_are_pending_as_they_were_in_their_order(self, rig: Rig):
        notes = [failed("n-1"), refused("n-2")]

        rig.outbox.add(notes)
        rig.outbox.add([failed("n-3")])

        assert rig.outbox.pending(10) == [*notes, failed("n-3")]
        assert rig.outbox.pending(2) == notes

    @pytest.mark.rule("USER-07")
    def test_a_note_whose_fact_was_appended_never_comes_back(self, rig: Rig):
        note, other = failed("n-1"), refused("n-2")
        rig.outbox.add([note, other])

        rig.acquire().append(SampleStream().events(), [NoteRecorded("n-1")])
        # A server that got no answer repeats the call.
        rig.outbox.add([note])
        rig.outbox.sweep()

        assert rig.outbox.pending(10) == [other]

    @pytest.mark.rule("USER-07")
    def test_a_note_stays_when_the_append_is_refused(self, rig: Rig):
        writer, stream = rig.acquire(), SampleStream()
        writer.append(stream.events(2))
        rig.outbox.add([failed("n-1")])

        with pytest.raises(LogLost):
            writer.append([stream.event(2, command="x")], [NoteRecorded("n-1")])

        assert rig.outbox.pending(10) == [failed("n-1")]

    def test_a_dropped_note_never_comes_back(self, rig: Rig):
        rig.outbox.add([failed("n-1"), refused("n-2")])

        rig.outbox.drop(["n-1", "unknown"])
        rig.outbox.add([failed("n-1")])

        assert rig.outbox.pending(10) == [refused("n-2")]

    @pytest.mark.rule("USER-07")
    def test_so_many_notes_wait_and_no_more(self, rig: Rig):
        rig.outbox.add([failed(f"n-{n}") for n in range(PENDING_MAX - 1)])

        rig.outbox.add([failed("last"), failed("too many")])
        rig.outbox.add([failed("another")])

        pending = rig.outbox.pending(PENDING_MAX + 10)
        assert len(pending) == PENDING_MAX
        assert pending[-1] == failed("last")

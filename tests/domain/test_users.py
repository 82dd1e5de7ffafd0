"""docs/rules/users.md: who takes part, and what is kept of those turned away."""

import msgspec
import pytest

from commands.companions import NoteRecorded, RolesOf, SignIn
from commands.messages import (
    GrantRole,
    NoteAccessRefused,
    NoteLoginFailed,
    NoteOperationForced,
    Register,
)
from domain.accounts.user import SECURITY_FACTS_PER_MINUTE
from domain.errors import AlreadyExists, NotFound
from domain.events.event import Event, Meta
from domain.events.security import AccessRefused, LoginFailed, OperationForced
from domain.events.user import EmailClaimed, RoleGranted, UserRegistered
from domain.events.wallet import WalletOpened
from domain.vocabulary import Role, WalletKind
from tests.support.spec import AT
from tests.support.venue import Venue

MINUTE = 60_000_000


def sign_up(
    venue: Venue, *, user: str = "u1", account: str = "a1", claim: str = "claim"
) -> Register:
    return Register(venue.meta(), user, account, claim, "e-mail", "name", "hash")


@pytest.mark.rule("USER-01")
def test_signing_up_claims_the_address_and_opens_the_account():
    venue = Venue()
    command = sign_up(venue)

    assert venue.tell(command) == [
        EmailClaimed(command.meta, "u1"),
        UserRegistered(command.meta, "a1", "claim", "e-mail", "name"),
        WalletOpened(command.meta, "u1", WalletKind.TRADER),
    ]

    user = venue.exchange.users["u1"]
    assert (user.account_id, user.claim) == ("a1", "claim")
    assert user.roles == {Role.TRADER}
    assert venue.wallet("a1").user_id == "u1"


@pytest.mark.rule("USER-05")
def test_the_hash_of_a_password_goes_with_the_facts_and_into_none_of_them():
    venue = Venue()

    events = venue.tell(sign_up(venue))

    assert b"hash" not in msgspec.json.encode(events)
    assert venue.exchange.take_companions() == [
        SignIn("claim", "u1", "a1", "hash", (Role.TRADER,))
    ]


@pytest.mark.rule("USER-05")
def test_a_new_role_goes_with_its_fact_and_an_old_one_changes_nothing():
    venue = Venue()
    venue.tell(sign_up(venue))
    venue.exchange.take_companions()

    venue.tell(GrantRole(venue.meta(), "u1", Role.ADMIN))
    venue.tell(GrantRole(venue.meta(), "u1", Role.ADMIN))

    assert venue.exchange.take_companions() == [
        RolesOf("u1", (Role.TRADER, Role.ADMIN))
    ]


@pytest.mark.rule("USER-05")
def test_a_registration_that_is_refused_keeps_no_credentials():
    venue = Venue()
    venue.tell(sign_up(venue))
    venue.exchange.take_companions()

    with venue.refuses(AlreadyExists):
        venue.tell(sign_up(venue, user="u2", account="a2"))

    assert venue.exchange.take_companions() == []


@pytest.mark.rule("USER-01")
@pytest.mark.parametrize("taken", [{"user": "u1"}, {"account": "a1"}], ids=str)
def test_a_user_and_an_account_begin_once(taken: dict[str, str]):
    venue = Venue()
    venue.tell(sign_up(venue))

    other = {"user": "u2", "account": "a2", "claim": "other", **taken}
    with venue.refuses(AlreadyExists):
        venue.tell(sign_up(venue, **other))


@pytest.mark.rule("USER-02")
def test_an_address_belongs_to_one_user():
    venue = Venue()
    venue.tell(sign_up(venue))

    with venue.refuses(AlreadyExists):
        venue.tell(sign_up(venue, user="u2", account="a2"))
    venue.tell(sign_up(venue, user="u2", account="a2", claim="other"))

    assert venue.exchange.claims["claim"].user_id == "u1"


@pytest.mark.rule("USER-03")
def test_a_role_is_granted_by_the_venue_once():
    venue = Venue()
    venue.tell(sign_up(venue))
    command = GrantRole(venue.meta(), "u1", Role.ADMIN)

    assert venue.tell(command) == [RoleGranted(command.meta, Role.ADMIN)]
    assert venue.tell(command) == []
    assert venue.exchange.users["u1"].roles == {Role.TRADER, Role.ADMIN}


@pytest.mark.rule("USER-03")
def test_a_role_is_not_granted_to_a_stranger():
    venue = Venue()

    with venue.refuses(NotFound):
        venue.tell(GrantRole(venue.meta(), "nobody", Role.ADMIN))


def note(venue: Venue, minute: int) -> list[type[Event]]:
    """Somebody is turned away twice within a minute."""
    meta = Meta(AT - AT % MINUTE + minute * MINUTE, "somebody", "c")
    events = venue.tell(NoteLoginFailed(meta, "claim"))
    events += venue.tell(NoteAccessRefused(meta, "/v2/admin"))
    return [type(each) for each in events]


@pytest.mark.rule("USER-04")
def test_who_is_turned_away_is_on_record():
    assert note(Venue(), 0) == [LoginFailed, AccessRefused]


@pytest.mark.rule("USER-04")
def test_each_minute_keeps_a_limited_number_of_security_facts():
    venue = Venue()

    for _ in range(SECURITY_FACTS_PER_MINUTE // 2):
        assert len(note(venue, 0)) == 2
    assert note(venue, 0) == []
    assert len(note(venue, 1)) == 2
    assert venue.exchange.security.noted == 2


@pytest.mark.rule("USER-04")
def test_a_refusal_of_an_earlier_minute_counts_for_the_newest():
    venue = Venue()
    note(venue, 5)

    recorded = [each for _ in range(40) for each in note(venue, 4) + note(venue, 5)]

    assert len(recorded) == SECURITY_FACTS_PER_MINUTE - 2


@pytest.mark.rule("USER-07")
def test_a_refusal_that_is_recorded_leaves_the_outbox_with_its_fact():
    venue = Venue()
    command = NoteLoginFailed(venue.meta(), "claim")

    venue.tell(command)

    note_id = command.meta.command_id
    assert venue.exchange.take_companions() == [NoteRecorded(note_id)]


@pytest.mark.rule("USER-07")
def test_a_refusal_that_is_not_recorded_leaves_the_outbox_alone():
    venue = Venue()
    for _ in range(SECURITY_FACTS_PER_MINUTE // 2):
        note(venue, 0)
    venue.exchange.take_companions()

    note(venue, 0)

    assert venue.exchange.take_companions() == []


@pytest.mark.rule("FORCE-02")
def test_a_forced_operation_is_a_fact_however_many_refusals_the_minute_had():
    venue = Venue()
    while note(venue, 0):
        pass
    venue.exchange.take_companions()
    meta = Meta(AT, "operator", "note-1")

    events = venue.tell(NoteOperationForced(meta, "restore", "log-not-empty", "file"))

    assert events == [OperationForced(meta, "restore", "log-not-empty", "file")]
    assert venue.exchange.take_companions() == [NoteRecorded("note-1")]
    assert len(note(venue, 1)) == 2
    assert venue.exchange.security.noted == 2

"""docs/rules/commands.md: an idempotency key makes a command once for its actor."""

from collections.abc import Callable
from typing import Any

import pytest

from commands.keys import content_digest, part_meta
from commands.messages import (
    CancelAllOrders,
    ChangeListing,
    Command,
    Deposit,
    GrantRole,
    HaltMarket,
    ListingChanges,
    Register,
    SetPreferences,
    UseKey,
)
from commands.state.exchange import Exchange, locate
from commands.state.register import Repeated
from domain.errors import Conflict, NotFound
from domain.events.event import Meta
from domain.events.keys import KeyUsed
from domain.vocabulary import OrderStatus, Role
from tests.support.spec import AT
from tests.support.venue import Venue


def keyed(key: str, *content: Any, actor: str = "admin") -> Meta:
    digest = content_digest(*content)
    return Meta(AT, actor, f"command of {key} {content}", key=key, digest=digest)


@pytest.mark.rule("COMMAND-02")
def test_a_keyed_command_is_carried_out_once():
    venue = Venue()
    meta = keyed("stop it", "ACME", "news")
    venue.tell(HaltMarket(meta, "ACME", "news"))
    venue.resume()

    with pytest.raises(Repeated):
        venue.tell(HaltMarket(meta, "ACME", "news"))

    assert not venue.market.halted


@pytest.mark.rule("COMMAND-02")
def test_each_part_of_a_request_has_a_key_and_all_share_one_digest():
    whole = keyed("k-1", "batch", "content", actor="ada")

    first, second = (
        part_meta(whole, place, after=place, digest=whole.digest) for place in (0, 1)
    )

    assert [whole.key, first.key, second.key] == ["k-1", "k-1 0", "k-1 1"]
    assert first.digest == second.digest == whole.digest
    assert len({each.command_id for each in (whole, first, second)}) == 3
    assert [first.at, second.at] == [AT, AT + 1]


def test_the_parts_of_a_request_without_a_key_have_no_key():
    part = part_meta(Meta(AT, "ada", "whole"), "ACME", after=1, digest="d")

    assert (part.key, part.digest) == (None, None)


WITHOUT_EFFECT: dict[str, Callable[[Meta], Command]] = {
    "cancel all of none": lambda meta: CancelAllOrders(meta, "alice"),
    "halt again": lambda meta: HaltMarket(meta, "ACME", "news"),
    "edit into the same": lambda meta: ChangeListing(meta, "ACME", ListingChanges()),
    "prefer the same": lambda meta: SetPreferences(meta, "alice"),
    "grant again": lambda meta: GrantRole(meta, "user-of-alice", Role.TRADER),
}


@pytest.mark.rule("COMMAND-02")
@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_command_that_changes_nothing_uses_its_key(name: str):
    venue = Venue()
    venue.trader("alice")
    venue.halt()
    command = WITHOUT_EFFECT[name](keyed("key", name))

    assert venue.tell(command) == [KeyUsed(command.meta)]
    with pytest.raises(Repeated):
        venue.tell(command)
    with venue.refuses(Conflict, key="key"):
        venue.tell(WITHOUT_EFFECT[name](keyed("key", "other")))


@pytest.mark.rule("COMMAND-02")
def test_a_repeated_cancel_all_cancels_no_later_order():
    venue = Venue()
    venue.trader("alice", shares=10)
    command = CancelAllOrders(keyed("key", "cancel-all"), "alice")
    venue.tell(command)
    later = venue.sell("alice", 10, at="11")

    with pytest.raises(Repeated):
        venue.tell(command)

    assert venue.status(later) is OrderStatus.NEW


@pytest.mark.rule("COMMAND-02")
def test_a_repeated_request_has_the_parts_of_the_first():
    venue = Venue()
    meta = keyed("key", "close-all")

    assert venue.tell(UseKey(meta, ("ACME",))) == [KeyUsed(meta, ("ACME",))]
    with pytest.raises(Repeated):
        venue.tell(UseKey(meta, ("ACME", "OTHER")))


@pytest.mark.rule("COMMAND-02")
@pytest.mark.parametrize("key", ["stop it", "a/key/with#marks"])
def test_a_key_with_other_content_is_a_conflict(key: str):
    venue = Venue()
    venue.tell(HaltMarket(keyed(key, "ACME", "news"), "ACME", "news"))

    with venue.refuses(Conflict, key=key):
        venue.tell(HaltMarket(keyed(key, "ACME", "rumor"), "ACME", "rumor"))


@pytest.mark.rule("COMMAND-02")
def test_two_actors_may_use_the_same_key():
    venue = Venue()
    venue.tell(HaltMarket(keyed("key", "ACME", "news"), "ACME", "news"))
    venue.resume()

    other = keyed("key", "ACME", "rumor", actor="deputy")

    assert venue.tell(HaltMarket(other, "ACME", "rumor"))


@pytest.mark.rule("COMMAND-02")
def test_a_refused_command_does_not_use_its_key():
    venue = Venue()
    command = Deposit(keyed("key", "alice", 5), "alice", 5, "wire 7")
    with pytest.raises(NotFound):
        venue.tell(command)
    venue.trader("alice")

    assert venue.tell(command)


@pytest.mark.rule("COMMAND-02")
def test_a_deposit_with_a_key_repeats_by_its_key_and_by_its_reference():
    venue = Venue()
    venue.trader("alice")
    venue.tell(Deposit(keyed("key", "alice", 5), "alice", 5, "wire 7"))

    with pytest.raises(Repeated):
        venue.tell(Deposit(keyed("key", "alice", 5), "alice", 5, "wire 8"))
    with pytest.raises(Repeated):
        venue.tell(Deposit(keyed("other", "alice", 5), "alice", 5, "wire 7"))

    assert venue.wallet("alice").ledger == 5


@pytest.mark.rule("COMMAND-02")
def test_a_command_without_a_key_is_never_a_repeat():
    Venue().exchange.register.check_command(Meta(AT, "tester", "command-1"))


@pytest.mark.rule("COMMAND-02")
def test_the_position_of_a_key_is_the_first_fact_of_its_command():
    venue = Venue()
    venue.exchange.take_unlocated()
    venue.tell(Register(keyed("sign up"), "u1", "a1", "claim", "e", "n", "h"))

    # The log position of the first of its three facts.
    locate(venue.exchange.take_unlocated(), first=7)

    assert venue.exchange.register.uses["admin/sign up"].position == 7
    replayed = Exchange()
    replayed.replay(venue.facts)
    # One fact precedes it: the listing of ACME.
    assert replayed.register.uses["admin/sign up"].position == 2


def test_replaying_nothing_changes_nothing():
    venue = Venue()
    before = venue.state()

    venue.exchange.replay([])

    assert venue.state() == before

"""docs/rules/commands.md: an idempotency key makes a command once for its actor."""

from typing import Any

import pytest

from commands.exchange import Exchange, locate
from commands.messages import Deposit, HaltMarket, Register
from commands.receipts import Repeated, keyed_command_id
from domain.errors import Conflict, NotFound
from domain.events import Meta
from tests.support.spec import AT
from tests.support.venue import Venue


def keyed(key: str, *content: Any, actor: str = "admin") -> Meta:
    return Meta(AT, actor, keyed_command_id(actor, key, *content))


@pytest.mark.rule("COMMAND-02")
def test_a_keyed_command_is_carried_out_once():
    venue = Venue()
    meta = keyed("stop it", "ACME", "news")
    venue.tell(HaltMarket(meta, "ACME", "news"))
    venue.resume()

    with pytest.raises(Repeated) as repeated:
        venue.tell(HaltMarket(meta, "ACME", "news"))

    repeated.value.check([])
    assert not venue.market.halted


@pytest.mark.rule("COMMAND-02")
@pytest.mark.parametrize("key", ["stop it", "a/key/with#marks"])
def test_a_key_used_again_with_other_content_is_a_conflict(key: str):
    venue = Venue()
    venue.tell(HaltMarket(keyed(key, "ACME", "news"), "ACME", "news"))

    with venue.refuses(Conflict, key=key):
        venue.tell(HaltMarket(keyed(key, "ACME", "rumor"), "ACME", "rumor"))


@pytest.mark.rule("COMMAND-02")
def test_a_key_is_its_actors_own():
    venue = Venue()
    venue.tell(HaltMarket(keyed("key", "ACME", "news"), "ACME", "news"))
    venue.resume()

    other = keyed("key", "ACME", "rumor", actor="deputy")

    assert venue.tell(HaltMarket(other, "ACME", "rumor"))


@pytest.mark.rule("COMMAND-02")
def test_a_refused_command_does_not_use_up_its_key():
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
def test_a_command_without_a_key_is_never_known():
    Venue().exchange.receipts.check_command("command-1")


@pytest.mark.rule("COMMAND-02")
def test_a_keys_receipt_is_at_the_first_fact_of_its_command():
    venue = Venue()
    venue.tell(Register(keyed("sign up"), "u1", "a1", "claim", "e", "n", "h"))

    # Where its three facts came to stand.
    locate(venue.exchange.take_unlocated(), first=7)

    assert venue.exchange.receipts.by_key["admin/sign up"].position == 7
    replayed = Exchange()
    replayed.replay(venue.facts)
    # One fact was there before: ACME is listed.
    assert replayed.receipts.by_key["admin/sign up"].position == 2


def test_replaying_nothing_changes_nothing():
    venue = Venue()
    before = venue.state()

    venue.exchange.replay([])

    assert venue.state() == before

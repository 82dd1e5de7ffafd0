"""docs/rules/commands.md: a snapshot keeps all of the state, whatever is in it."""

from typing import Any

import pytest

from commands import frozen
from commands.exchange import Exchange
from commands.messages import (
    Deposit,
    GrantRole,
    HaltMarket,
    NoteLoginFailed,
    SetPreferences,
)
from commands.receipts import keyed_command_id
from domain.aggregate import Aggregate
from domain.events.event import Meta
from domain.vocabulary import Role, SelfTradePrevention
from tests.support.spec import AT
from tests.support.venue import Venue


def eventful() -> Venue:
    """A venue on which a bit of everything has happened."""
    venue = Venue(price_band=900, maker_fee=3, taker_fee=7)
    venue.list_asset("OTHER", sector="Anvils", shares_outstanding=10**9)
    venue.trader("alice", cash="10000", shares=500)
    venue.sell("alice", 100, at="10.05", client_id="mine", tif="day")
    venue.buy("bob", 40, at="10.05", stp="cancel_both")
    venue.buy("bob", 40, at="9.95")
    venue.roll("2026-01-02")
    both = SelfTradePrevention.CANCEL_BOTH
    venue.tell(SetPreferences(venue.meta(), "alice", both, suspend_trade=True))
    venue.tell(GrantRole(venue.meta(), "user-of-alice", Role.ADMIN))
    venue.tell(NoteLoginFailed(venue.meta(), "claim"))
    key = keyed_command_id("admin", "key", 5)
    venue.tell(Deposit(Meta(AT, "admin", key), "alice", 5, "wire"))
    venue.sell("bob", 10, at="10.90")
    venue.halt()
    again = keyed_command_id("admin", "halt", "news")
    venue.tell(HaltMarket(Meta(AT, "admin", again), "ACME", "news"))
    return venue


def plain(aggregate: Aggregate) -> dict[str, Any]:
    """Everything an aggregate knows, but for its outbox and its book."""
    names = {
        name
        for kind in type(aggregate).__mro__
        for name in vars(kind).get("__slots__", ())
    }
    return {name: getattr(aggregate, name) for name in names - {"outbox", "book"}}


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize("most", [1, frozen.SLICE])
def test_a_loaded_state_knows_everything_that_was_known(
    most: int, monkeypatch: pytest.MonkeyPatch
):
    # An index that outgrows one chunk is in several.
    monkeypatch.setattr(frozen, "SLICE", most)
    exchange = eventful().exchange

    loaded = frozen.load(frozen.dump(exchange))

    for stream, aggregate in exchange.streams.items():
        assert plain(loaded.streams[stream]) == plain(aggregate)
    assert loaded.orders.accounts.keys() == exchange.orders.accounts.keys()
    for name, account in exchange.orders.accounts.items():
        assert loaded.orders.account(name).orders == account.orders
        assert loaded.orders.account(name).ids == account.ids
    assert loaded.receipts.by_key == exchange.receipts.by_key


@pytest.mark.rule("COMMAND-08")
def test_an_eventful_log_replays_to_the_same_state():
    venue = eventful()

    replayed = Exchange()
    replayed.replay(venue.facts)

    for stream, aggregate in venue.exchange.streams.items():
        assert plain(replayed.streams[stream]) == plain(aggregate)
    assert replayed.receipts.by_key.keys() == venue.exchange.receipts.by_key.keys()


@pytest.mark.rule("COMMAND-08")
def test_a_hash_tells_two_states_apart():
    venue = eventful()
    market = venue.market
    before = frozen.state_hash(market)

    venue.resume()

    assert frozen.state_hash(market) != before

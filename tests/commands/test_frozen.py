"""docs/rules/commands.md: a snapshot keeps the whole state."""

from typing import Any

import pytest

from commands.keys import content_digest
from commands.messages import (
    CapOpenOrders,
    ConfirmClock,
    Deposit,
    GrantRole,
    HaltMarket,
    NoteLoginFailed,
    SetPreferences,
)
from commands.state import frozen
from commands.state.exchange import Exchange
from domain.aggregate import Aggregate
from domain.events.event import Meta
from domain.vocabulary import Role, SelfTradePrevention
from tests.support.spec import AT
from tests.support.venue import Venue


def eventful() -> Venue:
    """Return a venue with facts of every kind."""
    venue = Venue(price_band=900, maker_fee=3, taker_fee=7)
    venue.list_asset("OTHER", sector="Anvils", shares_outstanding=10**9)
    venue.trader("alice", cash="10000", shares=500)
    venue.sell("alice", 100, at="10.05", client_id="mine", tif="day")
    venue.buy("bob", 40, at="10.05", stp="cancel_both")
    venue.buy("bob", 40, at="9.95")
    venue.roll("2026-01-02")
    both = SelfTradePrevention.CANCEL_BOTH
    venue.tell(SetPreferences(venue.meta(), "alice", both, suspend_trade=True))
    venue.tell(CapOpenOrders(venue.meta(), "alice", 3_000))
    venue.tell(GrantRole(venue.meta(), "user-of-alice", Role.ADMIN))
    venue.tell(NoteLoginFailed(venue.meta(), "claim"))
    key = Meta(AT, "admin", "deposit", key="key", digest=content_digest(5))
    venue.tell(Deposit(key, "alice", 5, "wire"))
    venue.sell("bob", 10, at="10.90")
    venue.tell(ConfirmClock(venue.meta(), 864_000_000_000, 864_000_000_000))
    venue.halt()
    again = Meta(AT, "admin", "halt", key="halt", digest=content_digest("news"))
    venue.tell(HaltMarket(again, "ACME", "news"))
    return venue


def plain(aggregate: Aggregate) -> dict[str, Any]:
    """Return all attributes of an aggregate except its outbox and its book."""
    names = {
        name
        for kind in type(aggregate).__mro__
        for name in vars(kind).get("__slots__", ())
    }
    return {name: getattr(aggregate, name) for name in names - {"outbox", "book"}}


def remembered(exchange: Exchange) -> Any:
    """Return what the writer remembers of orders and keys."""
    orders = {
        account_id: (each.entries, each.client_ids)
        for account_id, each in exchange.orders.accounts.items()
    }
    windows = exchange.orders.window, exchange.register.window
    return orders, exchange.register.uses, [each.contents() for each in windows]


@pytest.mark.rule("COMMAND-08")
@pytest.mark.parametrize("most", [1, frozen.SLICE])
def test_a_loaded_state_equals_the_dumped_state(
    most: int, monkeypatch: pytest.MonkeyPatch
):
    # A slice of 1 splits every index into several chunks.
    monkeypatch.setattr(frozen, "SLICE", most)
    exchange = eventful().exchange

    loaded = frozen.load(frozen.dump(exchange))

    for stream, aggregate in exchange.streams.items():
        assert plain(loaded.streams[stream]) == plain(aggregate)
    assert remembered(loaded) == remembered(exchange)


@pytest.mark.rule("COMMAND-08")
def test_an_eventful_log_replays_to_the_same_state():
    venue = eventful()

    replayed = Exchange()
    replayed.replay(venue.facts)

    for stream, aggregate in venue.exchange.streams.items():
        assert plain(replayed.streams[stream]) == plain(aggregate)
    assert replayed.register.uses.keys() == venue.exchange.register.uses.keys()
    assert remembered(replayed)[0] == remembered(venue.exchange)[0]


@pytest.mark.rule("COMMAND-08")
def test_two_states_have_different_hashes():
    venue = eventful()
    market = venue.market
    before = frozen.state_hash(market)

    venue.resume()

    assert frozen.state_hash(market) != before

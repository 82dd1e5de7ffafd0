"""docs/rules/markets.md: the terms that an instrument trades on."""

import cProfile
from typing import Any

import pytest

from benchmarks.opening import listing
from commands.handlers.dispatch import execute
from commands.messages import ChangeListing, HaltMarket, ListingChanges
from domain.errors import (
    AlreadyExists,
    InvalidListing,
    OrdersOutsideBand,
    UnknownSymbol,
)
from domain.events.market import Listed, ListingChanged
from domain.events.security import OperationForced
from domain.market.market import Market
from tests.support.spec import META, Spec
from tests.support.venue import Venue


@pytest.mark.rule("LIST-01")
def test_a_listing_that_can_be_traded_under_is_admitted():
    terms = listing(price_band=1, collar=0, maker_fee=0, taker_fee=10_000)

    admitted = Spec(Market("ACME", [])).when(
        lambda m: m.admit(terms, session_date="2026-01-01", meta=META)
    )

    after = admitted.then(Listed(META, terms, "2026-01-01"))
    assert (after.listing, after.session_date) == (terms, "2026-01-01")
    assert (after.halted, after.trades, after.last_price) == (False, 0, None)


@pytest.mark.rule("LIST-01")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tick_size", "0"),
        ("lot_size", 0),
        ("lot_size", 10**9 + 1),
        ("reference_price", "0"),
        ("reference_price", "10000000.01"),
        ("reference_price", "10.005"),
        ("price_band", 0),
        ("price_band", 10_000),
        ("collar", -1),
        ("collar", 10_001),
        ("maker_fee", -1),
        ("taker_fee", 10_001),
        ("shares_outstanding", -1),
    ],
)
def test_terms_out_of_their_range_are_refused(name: str, value: Any):
    terms = listing(**{name: value})

    refused = Spec(Market("ACME", [])).when(
        lambda m: m.admit(terms, session_date="2026-01-01", meta=META)
    )

    refused.then_refused(InvalidListing, field=name)


@pytest.mark.rule("LIST-02")
def test_a_symbol_is_listed_once():
    venue = Venue()

    with venue.refuses(AlreadyExists, symbol="ACME"):
        venue.list_asset("ACME", reference_price="20")
    venue.list_asset("OTHER")


@pytest.mark.rule("LIST-04")
def test_a_change_is_recorded_with_all_terms_as_now():
    venue = Venue(sector="Anvils")

    (fact,) = venue.change(name="Acme & Sons", price_band=500)

    assert isinstance(fact, ListingChanged)
    changed = (fact.listing.name, fact.listing.price_band)
    assert changed == ("Acme & Sons", 500)
    assert fact.listing.sector == "Anvils"


@pytest.mark.rule("LIST-04")
def test_a_change_that_changes_nothing_is_not_recorded():
    venue = Venue(sector="Anvils", price_band=500)

    assert venue.change(sector="Anvils", price_band=500) == []


def test_what_is_not_listed_can_be_neither_changed_nor_halted():
    venue = Venue()

    with venue.refuses(UnknownSymbol, symbol="NONE"):
        venue.tell(ChangeListing(venue.meta(), "NONE", ListingChanges(name="x")))
    with venue.refuses(UnknownSymbol, symbol="NONE"):
        venue.tell(HaltMarket(venue.meta(), "NONE", "news"))


def stranding(venue: Venue, *, force: bool) -> ChangeListing:
    """Return a change whose band of 1 % leaves out a bid at 9.50, not one at 10.00."""
    venue.buy("alice", 1, at="9.50")
    venue.buy("alice", 1, at="10.00")
    changes = ListingChanges(price_band=100)
    return ChangeListing(venue.meta(), "ACME", changes, force=force)


@pytest.mark.rule("LIST-05")
@pytest.mark.rule("FORCE-01")
def test_a_band_that_leaves_out_resting_orders_is_refused():
    venue = Venue(price_band=1_000)
    change = stranding(venue, force=False)

    with venue.refuses(OrdersOutsideBand, symbol="ACME", orders=1):
        venue.tell(change)


@pytest.mark.rule("FORCE-02")
def test_a_forced_change_is_a_fact_with_its_condition():
    venue = Venue(price_band=1_000)
    change = stranding(venue, force=True)

    changed, forced = venue.tell(change)

    assert isinstance(changed, ListingChanged)
    assert forced == OperationForced(
        change.meta, "change-listing", "orders-outside-band", "ACME"
    )


@pytest.mark.rule("COMMAND-10")
def test_a_new_band_is_compared_with_prices_and_not_with_orders():
    def calls(orders: int) -> int:
        venue = Venue(price_band=1_000)
        for _ in range(orders):
            venue.buy("alice", 1, at="9.50")
        change = ChangeListing(
            venue.meta(), "ACME", ListingChanges(price_band=100), force=True
        )
        profile = cProfile.Profile()
        profile.runcall(execute, venue.exchange, change)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(50) == calls(1)


@pytest.mark.rule("FORCE-02")
def test_force_without_a_failed_condition_records_nothing_more():
    venue = Venue(price_band=1_000)
    venue.buy("alice", 1, at="10.00")
    changes = ListingChanges(price_band=100)

    facts = venue.tell(ChangeListing(venue.meta(), "ACME", changes, force=True))

    assert [type(fact) for fact in facts] == [ListingChanged]


@pytest.mark.rule("LIST-05")
@pytest.mark.parametrize("terms", [{"name": "Acme & Sons"}, {"price_band": 0}], ids=str)
def test_orders_that_no_new_band_leaves_out_stop_no_change(terms: dict[str, Any]):
    venue = Venue(price_band=1_000)
    venue.tell(stranding(venue, force=True))

    assert len(venue.change(**terms)) == 1


@pytest.mark.rule("LIST-05")
def test_an_order_outside_the_old_band_does_not_count_again():
    venue = Venue(price_band=1_000)
    venue.tell(stranding(venue, force=True))

    assert len(venue.change(price_band=90)) == 1


@pytest.mark.rule("LIST-03")
def test_many_open_orders_are_not_checked_against_another_tick_or_lot(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("domain.market.market.CHECKED_MAX", 1)
    venue = Venue(lot_size=10)
    venue.buy("alice", 10, at="9.00")
    venue.buy("alice", 10, at="9.00")

    venue.change(tick_size=50, lot_size=5)

    with venue.refuses(InvalidListing):
        venue.change(tick_size=100)
    with venue.refuses(InvalidListing):
        venue.change(lot_size=10)

"""docs/rules/wallet.md: a reference makes a deposit or a grant once; preferences."""

import pytest

from commands.messages import Deposit, GrantShares, SetPreferences
from commands.state.register import Repeated
from domain.errors import Conflict, NotFound, UnknownSymbol
from domain.events.wallet import FundsDeposited, PreferencesChanged, SharesGranted
from domain.vocabulary import SelfTradePrevention
from tests.support.venue import Venue


def venue_with(*names: str) -> Venue:
    venue = Venue()
    for name in names:
        venue.trader(name)
    return venue


@pytest.mark.rule("WALLET-01")
@pytest.mark.rule("WALLET-08")
def test_a_reference_makes_a_deposit_once():
    venue = venue_with("alice")
    command = Deposit(venue.meta(), "alice", 500, "wire 7")

    (fact,) = venue.tell(command)
    with pytest.raises(Repeated):
        venue.tell(Deposit(venue.meta(), "alice", 500, "wire 7"))

    assert fact == FundsDeposited(command.meta, 500, "wire 7")
    assert venue.wallet("alice").ledger == 500


@pytest.mark.rule("WALLET-08")
def test_a_reference_with_another_amount_is_a_conflict():
    venue = venue_with("alice")
    venue.tell(Deposit(venue.meta(), "alice", 500, "2026/wire/7"))

    with venue.refuses(Conflict, key="2026/wire/7"):
        venue.tell(Deposit(venue.meta(), "alice", 501, "2026/wire/7"))


@pytest.mark.rule("WALLET-08")
def test_another_account_or_reference_is_another_deposit():
    venue = venue_with("alice", "bob")

    venue.tell(Deposit(venue.meta(), "alice", 500, "wire 7"))
    venue.tell(Deposit(venue.meta(), "alice", 500, "wire 8"))
    venue.tell(Deposit(venue.meta(), "bob", 500, "wire 7"))

    assert [venue.wallet(name).ledger for name in ("alice", "bob")] == [1_000, 500]


@pytest.mark.rule("WALLET-02")
@pytest.mark.rule("WALLET-08")
def test_a_reference_makes_a_grant_once():
    venue = venue_with("alice")
    command = GrantShares(venue.meta(), "alice", "ACME", 5, 100, "gift")

    (fact,) = venue.tell(command)
    with pytest.raises(Repeated):
        venue.tell(GrantShares(venue.meta(), "alice", "ACME", 5, 100, "gift"))

    assert fact == SharesGranted(command.meta, "ACME", 5, 100, "gift")
    assert venue.wallet("alice").holdings["ACME"].quantity == 5


@pytest.mark.rule("WALLET-08")
@pytest.mark.parametrize(
    ("symbol", "quantity", "price"),
    [("OTHER", 5, 100), ("ACME", 6, 100), ("ACME", 5, 101)],
)
def test_a_reference_with_other_shares_is_a_conflict(
    symbol: str, quantity: int, price: int
):
    venue = venue_with("alice")
    venue.list_asset("OTHER")
    venue.tell(GrantShares(venue.meta(), "alice", "ACME", 5, 100, "gift"))

    with venue.refuses(Conflict, key="gift"):
        venue.tell(GrantShares(venue.meta(), "alice", symbol, quantity, price, "gift"))


@pytest.mark.rule("WALLET-08")
def test_the_same_reference_may_name_a_deposit_and_a_grant():
    venue = venue_with("alice")

    venue.tell(Deposit(venue.meta(), "alice", 500, "gift"))

    assert venue.tell(GrantShares(venue.meta(), "alice", "ACME", 5, 100, "gift"))


@pytest.mark.rule("WALLET-08")
def test_a_refused_deposit_does_not_use_up_its_reference():
    venue = Venue()
    with venue.refuses(NotFound):
        venue.tell(Deposit(venue.meta(), "alice", 500, "wire 7"))
    venue.trader("alice")

    assert venue.tell(Deposit(venue.meta(), "alice", 500, "wire 7"))


def test_shares_of_an_unlisted_instrument_are_refused():
    venue = venue_with("alice")

    with venue.refuses(UnknownSymbol, symbol="NONE"):
        venue.tell(GrantShares(venue.meta(), "alice", "NONE", 5, 100, "gift"))


def test_a_preference_that_the_command_omits_stays():
    venue = venue_with("alice")
    both = SelfTradePrevention.CANCEL_BOTH
    venue.tell(SetPreferences(venue.meta(), "alice", both))

    command = SetPreferences(venue.meta(), "alice", suspend_trade=True)

    assert venue.tell(command) == [
        PreferencesChanged(command.meta, both, suspend_trade=True)
    ]
    assert venue.tell(SetPreferences(venue.meta(), "alice")) == []

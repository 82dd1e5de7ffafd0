"""Slices with other commands between them: nothing is lost, and replay agrees."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.handlers import slices
from commands.handlers.dispatch import execute
from commands.messages import CancelAllOrders, Command, RollDay
from commands.state import frozen
from commands.state.exchange import Exchange
from domain.errors import CancelAllInProgress, DomainError, MarketRolling
from domain.money import NO_MONEY, NO_SHARES, Money, Quantity
from domain.vocabulary import OrderStatus
from tests.support.spec import AT
from tests.support.venue import Sent, Venue

ACTION = st.tuples(
    st.sampled_from(["alice", "bob"]),
    st.sampled_from(["buy", "sell", "cancel", "replace"]),
    st.sampled_from(["9.70", "9.90", "10.00", "10.10"]),
    st.integers(1, 20),
    st.sampled_from(["day", "gtc", "ioc"]),
)
#: An action, a slice, or a crash after which the state comes from snapshot or log.
STEP = st.one_of(ACTION, st.sampled_from(["slice", "slice", "snapshot", "replay"]))
STEPS = st.lists(STEP, max_size=25)


#: Alice's orders before the first action, on both sides, of which every third is a
#: day order.
RESTING = 7


class Sliced:
    """A venue on which slices are carried out one by one."""

    def __init__(self) -> None:
        self.venue = Venue(maker_fee=2, taker_fee=5)
        self.venue.checks_refusals = False
        for name in ("alice", "bob"):
            self.venue.present(name)
        self.sent: dict[str, list[Sent]] = {"alice": [], "bob": []}
        for number in range(RESTING):
            kind, at = ("buy", "9.70") if number % 2 else ("sell", "10.20")
            self.act("alice", kind, at, 5, "gtc" if number % 3 else "day")
        self.totals = self.totals_now()
        self._clock = count(AT + 1_000_000)
        self._left: Iterator[Command | None] = iter(())

    def begin(self, command: Command) -> None:
        self.venue.tell(command)
        self.resume()

    def resume(self) -> None:
        """Ask the state what is left to do."""
        wallet, market = self.venue.wallet("alice"), self.venue.market
        if wallet.cancel_all is not None:
            self._left = slices.slices_of_cancel_all(
                self.venue.exchange, wallet, self._now
            )
        elif market.roll is not None:
            self._left = slices.slices_of_day_roll(market, self._now)
        else:
            self._left = iter(())

    def _now(self) -> int:
        return next(self._clock)

    def step(self, step: "str | tuple[str, str, str, int, str]") -> None:
        if step == "slice":
            self.next_slice()
        elif step == "snapshot":
            self.venue.exchange = frozen.load(frozen.dump(self.venue.exchange))
            self.resume()
        elif step == "replay":
            self.venue.exchange = self.replayed()
            self.resume()
        elif not isinstance(step, str):
            self.act(*step)
        assert self.totals_now() == self.totals

    def next_slice(self) -> bool:
        for command in self._left:
            if command is not None:
                facts = execute(self.venue.exchange, command)
                self.venue.record(facts)
            return True
        return False

    def act(self, name: str, kind: str, at: str, quantity: int, tif: str) -> None:
        venue = self.venue
        live = [each for each in self.sent[name] if venue.status(each) == "new"]
        try:
            if kind == "buy":
                self.sent[name].append(venue.buy(name, quantity, at=at, tif=tif))
            elif kind == "sell":
                self.sent[name].append(venue.sell(name, quantity, at=at, tif=tif))
            elif kind == "cancel" and live:
                venue.cancel(live[0])
            elif live:
                new = venue.replace(live[0], quantity=quantity, at=at)
                self.sent[name].append(new)
        except (CancelAllInProgress, MarketRolling):
            assert venue.wallet("alice").cancel_all or venue.market.roll
        except DomainError:
            pass

    def open_orders(self, name: str) -> set[str]:
        accounts = self.venue.exchange.orders.accounts
        entries = accounts[name].entries.items() if name in accounts else ()
        return {name for name, each in entries if each.status is OrderStatus.NEW}

    def replayed(self) -> Exchange:
        exchange = Exchange()
        exchange.replay(self.venue.facts)
        exchange.position = self.venue.exchange.position
        return exchange

    def totals_now(self) -> tuple[Money, Quantity]:
        wallets = self.venue.exchange.wallets.values()
        cash, shares = NO_MONEY, NO_SHARES
        for wallet in wallets:
            cash += wallet.ledger
            for holding in wallet.holdings.values():
                shares += holding.quantity
        return cash, shares


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "ENDED_MAX", 2)
    monkeypatch.setattr(slices, "SEEN_MAX", 3)


@pytest.mark.rule("ORDER-16")
@pytest.mark.rule("DAY-06")
@pytest.mark.rule("COMMAND-08")
@pytest.mark.rule("COMMAND-09")
@given(st.sampled_from(["cancel-all", "roll"]), st.lists(ACTION, max_size=25), STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_between_slices_no_covered_order_stays_open(
    work: str,
    before: list[tuple[str, str, str, int, str]],
    steps: "list[str | tuple[str, str, str, int, str]]",
):
    sliced = Sliced()
    for action in before:
        sliced.step(action)
    venue = sliced.venue
    covered = sliced.open_orders("alice")
    if work == "cancel-all":
        sliced.begin(CancelAllOrders(venue.meta(), "alice"))
    else:
        covered = {each.order_id for each in venue.market.day_orders()}
        sliced.begin(RollDay(venue.meta(), "ACME", "2026-01-02"))

    for step in steps:
        sliced.step(step)
        assert states(sliced.replayed()) == states(sliced.venue.exchange)
    while sliced.next_slice():
        assert states(sliced.replayed()) == states(sliced.venue.exchange)

    still_open = sliced.open_orders("alice") | sliced.open_orders("bob")
    assert covered & still_open == set()
    assert sliced.venue.wallet("alice").cancel_all is None
    assert sliced.venue.market.roll is None
    assert sliced.totals_now() == sliced.totals


def states(exchange: Exchange) -> dict[str, str]:
    """Return the hash of every aggregate."""
    streams = exchange.streams.items()
    return {stream: frozen.state_hash(each) for stream, each in streams}

"""docs/rules/memory.md: what the writer remembers of finished orders and keys."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.keys import content_digest
from commands.messages import ChangeMemoryWindow, Deposit, HaltMarket, Register
from commands.state import frozen, window
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from commands.state.window import Window
from domain.errors import InvalidOrder
from domain.events.event import Meta, Timestamp
from domain.events.keys import KeyUsed, MemoryWindowChanged
from domain.key_log import KeyLog
from domain.memory_window import SECOND, MemoryWindow
from domain.vocabulary import OrderStatus
from tests.support.spec import AT
from tests.support.venue import Sent, Venue

MINUTE = 60 * SECOND


def remembering(count_max: int, *, own_max: int = 0, **terms: Any) -> Venue:
    """Return a venue that remembers so many finished orders and keys."""
    venue = Venue(**terms)
    venue.checks_refusals = False
    venue.tell(ChangeMemoryWindow(venue.meta(), count_max, own_max=own_max))
    return venue


def finish(venue: Venue, owner: str, client_id: str | None = None) -> Sent:
    """Place an order and cancel it."""
    sent = venue.sell(owner, 1, at="11", client_id=client_id)
    venue.cancel(sent)
    return sent


def knows(venue: Venue, order: Sent) -> bool:
    ticket = order.ticket
    return venue.exchange.orders.of(ticket.account_id, ticket.order_id) is not None


def knows_key(venue: Venue, key: str) -> bool:
    return f"admin/{key}" in venue.exchange.register.uses


def keyed(key: str, *, at: Timestamp = AT) -> Meta:
    return Meta(at, "admin", f"command {key}", key=key, digest=content_digest(key))


def halt(venue: Venue, key: str, *, at: Timestamp = AT) -> None:
    """Send a keyed command that moves no money."""
    venue.tell(HaltMarket(keyed(key, at=at), "ACME", key))


# --- what leaves ---


@pytest.mark.rule("MEMORY-02")
def test_the_writer_remembers_the_venues_newest_finished_orders():
    venue = remembering(3)

    orders = [finish(venue, owner) for owner in ("ada", "bob", "ada", "bob", "ada")]

    assert [knows(venue, each) for each in orders] == [False, False, True, True, True]


@pytest.mark.rule("MEMORY-02")
@pytest.mark.parametrize("end", ["fill", "expire", "reject", "replace", "cancel"])
def test_every_end_of_an_order_counts(end: str):
    venue = remembering(1)
    order = venue.sell("ada", 1, at="11", tif="day")
    if end == "fill":
        venue.buy("bob", 1, at="11", tif="ioc")
    elif end == "expire":
        venue.roll("2026-01-02")
    elif end == "reject":
        venue.cancel(order)
        venue.halt()
        order = venue.sell("ada", 1, at="11")
        venue.resume()
    elif end == "replace":
        venue.replace(order, quantity=2)
    else:
        venue.cancel(order)

    finish(venue, "carol")

    assert not knows(venue, order)


@pytest.mark.rule("MEMORY-01")
def test_an_open_order_is_never_forgotten():
    venue = remembering(1)
    order = venue.sell("ada", 1, at="11", client_id="mine")

    for _ in range(5):
        finish(venue, "ada")

    assert venue.status(order) is OrderStatus.NEW
    with pytest.raises(Repeated):
        venue.sell("ada", 1, at="11", client_id="mine")


@pytest.mark.rule("MEMORY-02")
def test_an_accounts_newest_orders_leave_by_age_only():
    venue = remembering(1, own_max=2)

    quiet = [finish(venue, "ada") for _ in range(3)]
    for _ in range(5):
        finish(venue, "bob")

    assert [knows(venue, each) for each in quiet] == [False, True, True]
    finish(venue, "ada")
    assert [knows(venue, each) for each in quiet] == [False, False, True]


@pytest.mark.rule("MEMORY-02")
@pytest.mark.parametrize("own_max", [0, 10])
def test_orders_leave_by_age(own_max: int):
    venue = remembering(100, own_max=own_max)
    venue.tell(ChangeMemoryWindow(venue.meta(), age_max=MINUTE))
    old = finish(venue, "ada")
    venue.pass_time(2 * SECOND)
    young = finish(venue, "ada")

    venue.pass_time(MINUTE - SECOND)
    finish(venue, "bob")

    assert (knows(venue, old), knows(venue, young)) == (False, True)


@pytest.mark.rule("MEMORY-02")
def test_a_spared_order_leaves_by_age():
    venue = remembering(1, own_max=10)
    venue.tell(ChangeMemoryWindow(venue.meta(), age_max=MINUTE))
    spared = finish(venue, "ada")
    finish(venue, "bob")
    assert knows(venue, spared)

    venue.pass_time(2 * MINUTE)
    finish(venue, "bob")

    assert not knows(venue, spared)
    assert list(venue.exchange.orders.accounts) == ["bob"]


@pytest.mark.rule("MEMORY-02")
def test_keys_leave_the_window_too():
    venue = remembering(2)
    venue.halt()

    for key in ("one", "two", "three"):
        halt(venue, key)

    known = [knows_key(venue, key) for key in ("one", "two", "three")]
    assert known == [False, True, True]
    # A forgotten key is new again.
    again = keyed("one")
    assert venue.tell(HaltMarket(again, "ACME", "one")) == [KeyUsed(again)]
    with pytest.raises(Repeated):
        halt(venue, "three")


@pytest.mark.rule("MEMORY-01")
def test_a_key_or_reference_that_moved_money_is_never_forgotten():
    venue = remembering(1)
    venue.trader("alice")
    deposit = Deposit(keyed("pay"), "alice", 5, "wire 7")
    venue.tell(deposit)
    venue.halt()

    for number in range(5):
        halt(venue, f"halt {number}")

    with pytest.raises(Repeated):
        venue.tell(deposit)
    with pytest.raises(Repeated):
        venue.tell(Deposit(venue.meta(), "alice", 5, "wire 7"))


@pytest.mark.rule("MEMORY-05")
def test_a_forgotten_client_order_id_may_be_used_again():
    venue = remembering(1)
    first = finish(venue, "ada", "mine")
    finish(venue, "ada", "other")

    again = venue.sell("ada", 1, at="11", client_id="mine")

    assert again.order_id != first.order_id
    known = venue.exchange.orders.by_client_id("ada", "mine")
    assert known == again.order_id


# --- how it changes ---


@pytest.mark.rule("MEMORY-04")
def test_a_change_of_the_window_is_a_fact_and_none_is_without_a_change():
    venue = Venue()
    command = ChangeMemoryWindow(venue.meta(), 10, 60 * SECOND, 5)

    (changed,) = venue.tell(command)

    assert changed == MemoryWindowChanged(command.meta, 10, 60 * SECOND, 5)
    assert venue.tell(ChangeMemoryWindow(venue.meta(), 10)) == []


@pytest.mark.rule("MEMORY-04")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count_max", 0),
        ("count_max", 10_000_001),
        ("age_max", 59 * SECOND),
        ("age_max", 367 * 86_400 * SECOND),
        ("own_max", -1),
        ("own_max", 10_001),
    ],
)
def test_a_limit_out_of_bounds_is_refused(field: str, value: int):
    venue = Venue()

    with venue.refuses(InvalidOrder, field=field):
        venue.tell(ChangeMemoryWindow(venue.meta(), **{field: value}))


@pytest.mark.rule("MEMORY-04")
def test_at_most_16_leave_for_each_one_that_enters():
    venue = remembering(100)
    orders = [finish(venue, "ada") for _ in range(100)]
    venue.tell(ChangeMemoryWindow(venue.meta(), 10))
    assert all(knows(venue, each) for each in orders)

    left = [len(orders)]
    for _ in range(8):
        finish(venue, "bob")
        left.append(sum(knows(venue, each) for each in orders))

    assert max(before - after for before, after in pairwise(left)) == 16
    assert left[-1] == 10 - 8


# --- always ---


class Item(msgspec.Struct):
    """An item of a window under test."""

    number: int
    owner: str
    at: Timestamp


ITEMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-20, 60)), max_size=60)
LIMITS = st.builds(
    MemoryWindow, st.integers(1, 12), st.integers(10, 100), st.integers(0, 6)
)


def expected(items: list[Item], limits: MemoryWindow) -> set[int]:
    """Return what the rule says is remembered, from all items in their order."""
    now = items[-1].at
    newest = items[-limits.count_max :]
    own = [
        each
        for owner in "abc"
        for each in [each for each in items if each.owner == owner][::-1][
            : limits.own_max
        ]
    ]
    return {each.number for each in newest + own if each.at >= now - limits.age_max}


@pytest.mark.rule("MEMORY-02")
@pytest.mark.rule("MEMORY-03")
@given(ITEMS, LIMITS)
def test_a_window_always_remembers_what_the_rule_says(
    steps: list[tuple[str, int]], limits: MemoryWindow
):
    keys = KeyLog("log", [])
    keys.window = limits
    memory: Window[Item] = Window(keys)
    entered: list[Item] = []
    remembered: set[int] = set()
    at = 1_000
    with pytest.MonkeyPatch.context() as patch:
        # The rule is exact once all that must leave has left.
        patch.setattr(window, "MOVES_MAX", 1_000)
        for number, (owner, later) in enumerate(steps):
            at += later
            item = Item(number, owner, at)
            entered.append(item)
            remembered.add(number)

            remembered -= {each.number for each in memory.add(item, owner) or ()}

            assert remembered == expected(entered, limits)
            recent, spared = memory.contents()
            assert {each.number for each in recent + spared} == remembered


@pytest.mark.rule("MEMORY-03")
@pytest.mark.parametrize("own_max", [0, 2])
def test_replaying_and_loading_forget_what_living_forgot(own_max: int):
    venue = remembering(5, own_max=own_max)
    venue.tell(ChangeMemoryWindow(venue.meta(), age_max=3 * MINUTE))
    venue.tell(Register(keyed("sign up"), "u1", "a1", "claim", "e", "n", "h"))
    venue.halt()

    for number in range(60):
        if number == 30:
            venue.tell(ChangeMemoryWindow(venue.meta(), 2))
        owner = ("ada", "bob", "carol", "ada")[number % 4]
        venue.pass_time(7 * SECOND)
        halt(venue, f"key {number}", at=venue.last_at)
        if number % 7 == 0:
            venue.resume()
            finish(venue, owner, f"mine {number}")
            venue.halt()
        loaded = frozen.load(frozen.dump(venue.exchange))
        assert list(frozen.dump(loaded)) == list(frozen.dump(venue.exchange))

    replayed = Exchange()
    replayed.replay(venue.facts)
    assert windows(replayed) == windows(venue.exchange)


def windows(exchange: Exchange) -> Any:
    """Return the items of both windows, without their log positions."""
    both = exchange.orders.window.contents(), exchange.register.window.contents()
    plain: Any = msgspec.to_builtins(both)
    assert exchange.register.uses.keys() >= {
        each.name for each in exchange.register.window.recent
    }
    recent, spared = plain[1]
    for use in (*recent, *spared):
        use[3] = 0
    return plain


@pytest.mark.rule("MEMORY-03")
def test_a_snapshot_keeps_the_spared_keys():
    venue = remembering(1, own_max=5)
    venue.halt()
    deputy = Meta(AT, "deputy", "command", key="key", digest=content_digest("key"))

    halt(venue, "one")
    venue.tell(HaltMarket(deputy, "ACME", "key"))
    loaded = frozen.load(frozen.dump(venue.exchange))

    _, spared = loaded.register.window.contents()
    assert [each.name for each in spared] == ["admin/one"]
    assert windows(loaded) == windows(venue.exchange)


@pytest.mark.rule("MEMORY-03")
def test_a_state_from_a_snapshot_goes_on_to_forget_what_the_living_one_forgets():
    venue = remembering(2, own_max=3)
    venue.tell(ChangeMemoryWindow(venue.meta(), age_max=2 * MINUTE))
    for owner in "abcabcbbaacc":
        venue.pass_time(8 * SECOND)
        finish(venue, owner)
    start = len(venue.facts)
    loaded = frozen.load(frozen.dump(venue.exchange))

    for owner in "ddddabcddddddddddd":
        venue.pass_time(9 * SECOND)
        finish(venue, owner)
        loaded.replay(venue.facts[start:])
        start = len(venue.facts)

        assert windows(loaded) == windows(venue.exchange)

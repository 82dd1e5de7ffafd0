"""An audit passes a sound log, and detects each kind of unsound log."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest

from commands.ports import Segment, Snapshot
from commands.state.exchange import Exchange
from commands.state.frozen import dump, state_hash
from commands.state.register import Use
from domain.events.market import (
    Listed,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Fact, tag_of
from domain.events.wallet import (
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
)
from domain.money import Money
from domain.vocabulary import Side
from infra.audit.state import LiveState, LiveStream
from infra.audit.verify import Audit
from tests.infra.forged_logs import (
    Forger,
    audit_of,
    careful,
    changed,
    failed,
    first,
    missing,
    rests,
    twice,
)
from tests.support.facts import extend, whole_commands, with_event
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader

LOG = Flow().run(1_000)


def state_of(facts: list[Fact]) -> Exchange:
    exchange = Exchange()
    exchange.replay(facts)
    return exchange


def snapshot_of(exchange: Exchange) -> Snapshot:
    return Snapshot(exchange.position, iter(list(dump(exchange))))


def stated_by(exchange: Exchange, *, since: int) -> LiveState:
    streams = [
        LiveStream(stream, aggregate.version, state_hash(aggregate))
        for stream, aggregate in exchange.streams.items()
    ]
    return LiveState(streams, since)


def test_the_log_of_these_tests_holds_what_can_be_forged():
    counts = Counter(tag_of(type(fact.event)) for fact in LOG)

    for event_type in (
        FeeCollected,
        FundsHeld,
        FundsReleased,
        SharesReserved,
        SharesReleased,
        TradeExecuted,
        TradeSettled,
        OrderCanceled,
        OrderReplaced,
    ):
        assert counts[tag_of(event_type)] > 3, event_type


def test_a_sound_log_passes_and_everything_was_counted(database_url: str):
    report = audit_of(database_url, LOG)

    assert report.violations == []
    assert report.passed
    assert report.events == len(LOG)
    assert report.log_position == LOG[-1].position
    assert [c.name for c in report.checks if not c.counted and not c.skipped] == []


def test_an_empty_log_is_sound(database_url: str):
    assert audit_of(database_url, []).passed


@pytest.mark.parametrize(
    ("forge", "seen_by"),
    [
        (missing(FundsReleased), {"versions"}),
        (missing(TradeSettled), {"versions", "legs"}),
        (careful(missing(TradeSettled)), {"legs", "cash", "shares", "holds"}),
        (careful(missing(FundsHeld)), {"holds", "replay"}),
        (careful(missing(SharesReserved)), {"holds"}),
        (careful(missing(FundsReleased)), {"holds"}),
        (careful(missing(FeeCollected)), {"legs", "cash"}),
        (careful(missing(OrderCanceled)), {"holds"}),
        (careful(missing(OrderAccepted, rests)), {"holds"}),
        (careful(missing(TradeExecuted)), {"trades", "legs", "cash", "orders"}),
        (careful(twice(TradeExecuted)), {"trades", "orders"}),
        (careful(twice(TradeSettled)), {"legs", "cash", "shares"}),
        (careful(twice(FundsReleased)), {"holds", "replay"}),
        (careful(twice(OrderCanceled)), {"orders", "replay"}),
        (changed(TradeSettled, price=1), {"legs", "cash"}),
        (changed(TradeSettled, quantity=1), {"legs", "cash", "shares"}),
        (changed(TradeSettled, fee=1), {"legs", "cash"}),
        (changed(TradeSettled, cost=1), {"costs"}),
        (changed(TradeSettled, cost=-(10**14)), {"costs", "balances"}),
        (changed(TradeSettled, order_id="nobody"), {"legs", "holds"}),
        (changed(TradeExecuted, price=100), {"legs", "cash"}),
        (changed(TradeExecuted, maker_leaves=1), {"orders"}),
        (changed(TradeExecuted, trade_id=1), {"trades", "legs"}),
        (changed(FeeCollected, amount=1), {"legs", "cash"}),
        (changed(FundsHeld, amount=1), {"holds"}),
        (changed(FundsHeld, amount=10**17), {"balances", "holds"}),
        (changed(FundsReleased, amount=-1), {"holds"}),
        (changed(SharesReserved, quantity=10**9), {"balances", "holds"}),
        (changed(SharesReleased, quantity=-1), {"holds"}),
        (changed(SharesGranted, quantity=-(10**9)), {"shares", "balances"}),
        (changed(FundsDeposited, amount=-(10**16)), {"cash", "balances"}),
        (changed(OrderAccepted, rests, quantity=1), {"holds"}),
        (changed(OrderCanceled, quantity=1), {"orders"}),
        (changed(OrderReplaced, removed=1), {"orders"}),
        (changed(OrderReplaced, quantity=1), {"holds"}),
    ],
)
def test_a_forged_log_is_seen(forge: Forger, seen_by: set[str], database_url: str):
    report = audit_of(database_url, forge(list(LOG)))

    assert not report.passed
    assert seen_by <= failed(report)
    seen = [each for each in report.violations if each.check in seen_by]
    assert all(each.position and each.stream and each.event for each in seen)


def test_a_crossed_book_is_seen(database_url: str):
    facts = list(LOG)
    place = first(
        OrderAccepted,
        facts,
        lambda fact: (
            rests(fact)
            and isinstance(fact.event, OrderAccepted)
            and fact.event.side is Side.BUY
        ),
    )
    fact = facts[place]
    assert isinstance(fact.event, OrderAccepted)
    event = msgspec.structs.replace(fact.event, limit_price=10**9)
    facts[place] = with_event(fact, event)

    report = audit_of(database_url, facts)

    assert "books" in failed(report)
    assert report.violations[0].position == fact.position


def test_the_live_state_is_met_at_its_own_place_in_the_log(database_url: str):
    half = whole_commands(LOG, len(LOG) // 2)
    state = state_of(LOG[:half])

    report = audit_of(database_url, LOG, live=stated_by(state, since=half))

    assert report.violations == []
    (live,) = [check for check in report.checks if check.name == "live"]
    assert live.counted == len({fact.stream for fact in LOG[:half]})


def test_a_live_state_that_is_not_the_logs_is_seen(database_url: str):
    state = state_of(LOG)
    wallet = next(iter(state.wallets.values()))
    wallet.ledger += Money(1)

    report = audit_of(database_url, LOG, live=stated_by(state, since=1))

    assert failed(report) == {"live"}
    assert [each.stream for each in report.violations] == [wallet.stream]


def test_a_live_state_that_lacks_an_aggregate_is_seen(database_url: str):
    state = state_of(LOG)
    (lost,) = [each for each in state.streams if each == "market-SYM1"]
    del state.streams[lost]

    report = audit_of(database_url, LOG, live=stated_by(state, since=len(LOG)))

    assert failed(report) == {"live"}


def test_a_live_state_ahead_of_the_log_is_seen(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.audit.verify.LIVE_SECONDS", 0.1)
    ahead = LiveState([LiveStream("wallet-x", 7, "h")], 1)

    report = audit_of(database_url, LOG, live=ahead)

    assert "live" in failed(report)


def test_a_snapshot_is_compared_at_its_own_place_in_the_log(database_url: str):
    place = max(
        n for n, fact in enumerate(LOG) if isinstance(fact.event, OrderExpired | Listed)
    )
    while LOG[place - 1].event.meta.command_id == LOG[place].event.meta.command_id:
        place -= 1

    report = audit_of(database_url, LOG, snapshot=snapshot_of(state_of(LOG[:place])))

    assert report.violations == []


@pytest.mark.parametrize("damage", ["wallet", "orders", "keys", "references"])
def test_a_snapshot_that_is_not_the_logs_state_is_seen(damage: str, database_url: str):
    state = state_of(LOG)
    if damage == "wallet":
        next(iter(state.wallets.values())).ledger += Money(1)
    elif damage == "orders":
        state.orders.window.recent.popleft()
    elif damage == "keys":
        invented = Use("admin/key", "digest", at=1, position=1)
        state.register.restore(invented, spared=False)
    else:
        name = next(name for name in state.register.uses if name.startswith("deposit"))
        del state.register.uses[name]

    report = audit_of(database_url, LOG, snapshot=snapshot_of(state))

    assert failed(report) == {"snapshot"}


@pytest.mark.parametrize("kept", [0, whole_commands(LOG, len(LOG) // 2)])
def test_a_snapshot_of_events_that_the_log_lost_is_seen(kept: int, database_url: str):
    report = audit_of(database_url, LOG[:kept], snapshot=snapshot_of(state_of(LOG)))

    assert failed(report) == {"snapshot"}
    (violation,) = report.violations
    assert violation.position == kept
    assert violation.what == f"no command of the log ends at its position {len(LOG)}"


def test_a_snapshot_of_half_a_command_is_seen(database_url: str):
    half = next(
        n
        for n, (one, next_one) in enumerate(pairwise(LOG), start=1)
        if one.event.meta.command_id == next_one.event.meta.command_id
    )

    report = audit_of(database_url, LOG, snapshot=snapshot_of(state_of(LOG[:half])))

    assert failed(report) == {"snapshot"}


def test_a_snapshot_of_another_form_is_left_out_with_a_reason(database_url: str):
    other = Snapshot(len(LOG), iter([b"\x91\x05", b"\x91\xa7unknown"]))

    report = audit_of(database_url, LOG, snapshot=other)

    assert report.passed
    (snapshot,) = [check for check in report.checks if check.name == "snapshot"]
    assert (snapshot.counted, snapshot.skipped) == (0, "another version saved it")


@pytest.mark.parametrize("kept", [0, len(LOG)])
def test_a_snapshot_from_before_the_first_event_is_sound(kept: int, database_url: str):
    report = audit_of(database_url, LOG[:kept], snapshot=snapshot_of(Exchange()))

    assert report.violations == []
    (snapshot,) = [check for check in report.checks if check.name == "snapshot"]
    assert snapshot.counted


def test_all_violations_are_counted_and_some_listed(database_url: str):
    facts = [
        Fact(fact.position, fact.stream, fact.version + 1, fact.event) for fact in LOG
    ]

    report = audit_of(database_url, facts)

    (versions,) = [check for check in report.checks if check.name == "versions"]
    assert versions.violations == len({fact.stream for fact in LOG})
    assert len([v for v in report.violations if v.check == "versions"]) <= 10


class GrowingLog(MemoryLogReader):
    """A log that a busy writer extends faster than a reader can follow."""

    def replay(self, after: int) -> Iterator[Segment]:
        yield from super().replay(after)
        pytest.fail("the audit went on beyond the head that it had set out for")


def test_an_audit_ends_where_the_log_ended_when_it_began():
    log = GrowingLog()
    extend(log, LOG)
    audit = Audit(log)

    audit.run()

    assert audit.position == LOG[-1].position

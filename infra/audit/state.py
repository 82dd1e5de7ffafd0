"""Compares the replayed state with a live server's memory and the newest snapshot.

Each comparison happens when the replay reaches the log position of that state, so
the server need not stop.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from commands.ports import Snapshot
from commands.state.exchange import Exchange
from commands.state.frozen import dump, load, state_hash
from commands.state.order_index import AccountOrders, OrderEntry
from domain.aggregate import Aggregate
from domain.events.register import Fact
from domain.ids import AccountId, LogPosition, OrderId, Stream
from domain.market.market import Market
from infra.audit.findings import Findings, Violation

#: The domain's code raises these on a fact that is out of place.
_MISFITS = (KeyError, IndexError, AssertionError, AttributeError, ValueError)


class LiveStream(msgspec.Struct, frozen=True):
    """One aggregate in a live server's memory."""

    stream: Stream
    version: int
    hash: str


class LiveState(msgspec.Struct, frozen=True):
    """All aggregates of a server. Its log had reached `since` before it answered."""

    streams: Sequence[LiveStream]
    since: LogPosition


Expected: TypeAlias = dict[Stream, LiveStream]


class StateAudit:
    """A replay of the log that compares states on the way."""

    def __init__(
        self,
        findings: Findings,
        *,
        live: LiveState | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        self._findings = findings
        self.exchange = Exchange()
        self.books = 0
        self.replayed = 0
        self.live_compared = 0
        self.snapshot_compared = 0
        self.broken = False
        self._live = live
        known = () if live is None else live.streams
        #: The server's aggregates that the replay has not reached yet.
        self.expected: Expected = {each.stream: each for each in known if each.version}
        self._snapshot = snapshot
        self._met_snapshot = False
        #: Whether the snapshot has another version's form; recovery skips it too.
        self.snapshot_unreadable = False

    def take(self, facts: Sequence[Fact]) -> None:
        """Apply one command's facts, then check the state that follows."""
        if self.broken:
            return
        last = facts[-1]
        if self._snapshot is not None and self._snapshot.position < last.position:
            self._meet_snapshot()
        try:
            self.exchange.replay(facts)
        except _MISFITS as reason:
            self._break(facts, reason)
            return
        self.replayed += len(facts)
        expected, touched = self.expected, None
        for fact in facts:
            stream = fact.stream
            if stream[0] == "m" and stream != touched:
                touched = stream
                self._check_book(last, stream)
            if stream in expected and expected[stream].version == fact.version:
                self._check_live(fact)
        position = last.position
        if self._live is not None and facts[0].position <= self._live.since <= position:
            self._check_complete(last, self._live)

    def _check_book(self, fact: Fact, stream: Stream) -> None:
        market = self.exchange.streams[stream]
        assert isinstance(market, Market)
        self.books += 1
        bid, ask = market.book.bids.best, market.book.asks.best
        if bid is not None and ask is not None and bid >= ask:
            self._findings.note("books", fact, f"bid {bid} meets ask {ask}")

    def _break(self, facts: Sequence[Fact], reason: Exception) -> None:
        """Stop all comparisons: after a fact that does not fit, no state is sound."""
        streams = self.exchange.streams
        applied = [
            fact
            for fact in facts
            if fact.stream in streams and streams[fact.stream].version >= fact.version
        ]
        # The fact that failed: its aggregate raised its version before it failed.
        fact = applied[-1] if applied else facts[0]
        self.broken = True
        what = f"the fact does not fit: {type(reason).__name__} {reason}"
        self._findings.note("replay", fact, what)

    # --- the live state ---

    def _check_live(self, fact: Fact) -> None:
        live = self.expected.pop(fact.stream)
        self.live_compared += 1
        aggregate = self.exchange.streams[fact.stream]
        if aggregate.version != live.version or state_hash(aggregate) != live.hash:
            self._findings.note(
                "live", fact, f"the live state at version {live.version} differs"
            )

    def _check_complete(self, fact: Fact, live: LiveState) -> None:
        streams = {each.stream for each in live.streams}
        for stream, aggregate in self.exchange.streams.items():
            if aggregate.version and stream not in streams:
                self._findings.note("live", fact, f"the live state has no {stream}")

    def end(self) -> None:
        """Report live aggregates that are not in the log; compare a later snapshot."""
        if self.broken:
            return
        for live in self.expected.values():
            what = f"the live state is at version {live.version}, beyond the log"
            self._note("live", live.stream, what)
        if self._snapshot is not None:
            self._meet_snapshot()
        elif not self._met_snapshot:
            # Without a stored snapshot, one in memory at least proves the form.
            self._compare(load(dump(self.exchange)))

    def _note(self, check: str, stream: str, what: str) -> None:
        """Note a violation that the state shows, rather than one fact."""
        position = self.exchange.position
        self._findings.add(Violation(check, position, stream, "", what))

    # --- the newest snapshot ---

    def _meet_snapshot(self) -> None:
        """Compare the snapshot with the state at its log position."""
        snapshot, self._snapshot = self._snapshot, None
        assert snapshot is not None
        self._met_snapshot = True
        if snapshot.position != self.exchange.position:
            # Its last fact is missing, or never was the last fact of a command.
            what = f"no command of the log ends at its position {snapshot.position}"
            self._note("snapshot", "the snapshot", what)
            return
        try:
            saved = load(snapshot.chunks)
        except msgspec.DecodeError:
            self.snapshot_unreadable = True
            return
        self._compare(saved)

    def _compare(self, saved: Exchange) -> None:
        for what in self._differences(saved):
            self._note("snapshot", what, "the snapshot and the log differ")

    def _differences(self, saved: Exchange) -> Iterator[str]:
        replayed = self.exchange
        for stream in {**replayed.streams, **saved.streams}:
            self.snapshot_compared += 1
            if _hash(replayed.streams, stream) != _hash(saved.streams, stream):
                yield stream
        orders, saved_orders = replayed.orders.accounts, saved.orders.accounts
        for account in {**orders, **saved_orders}:
            if _entries(orders, account) != _entries(saved_orders, account):
                yield f"the index of the orders of {account}"
        if replayed.orders.window.contents() != saved.orders.window.contents():
            yield "the window of finished orders"
        if replayed.register.window.contents() != saved.register.window.contents():
            yield "the window of keys"
        if replayed.register.uses != saved.register.uses:
            yield "the register of keys"


def _hash(streams: Mapping[Stream, Aggregate], stream: Stream) -> str | None:
    aggregate = streams.get(stream)
    return None if aggregate is None else state_hash(aggregate)


def _entries(
    orders: Mapping[AccountId, AccountOrders], account_id: AccountId
) -> Mapping[OrderId, OrderEntry]:
    account = orders.get(account_id)
    return {} if account is None else account.entries

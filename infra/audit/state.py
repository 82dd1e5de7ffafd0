"""The state that the log replays to, held against other tellings of the same state.

The other tellings are what a live server has in memory, and the newest snapshot. Each
is met at its own place in the log, so that nothing needs to stand still for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from commands.exchange import Exchange
from commands.frozen import dump, load, state_hash
from commands.ports import Snapshot
from domain.aggregate import Aggregate
from domain.events.register import Fact
from domain.ids import LogPosition, Stream
from domain.market import Market
from infra.audit.findings import Findings, Violation

#: What a fact out of place makes the domain's code raise.
_MISFITS = (KeyError, IndexError, AssertionError, AttributeError, ValueError)


class LiveStream(msgspec.Struct, frozen=True):
    """What a live server says of one aggregate that it has in memory."""

    stream: Stream
    version: int
    hash: str


class LiveState(msgspec.Struct, frozen=True):
    """All of them, asked for when the log had reached `since` at least."""

    streams: Sequence[LiveStream]
    since: LogPosition


Expected: TypeAlias = dict[Stream, LiveStream]


class StateAudit:
    """Replays the log and compares on the way."""

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
        told = () if live is None else live.streams
        #: What the server told and the replay has not come to yet.
        self.expected: Expected = {each.stream: each for each in told if each.version}
        self._snapshot = snapshot
        self._met_snapshot = False
        #: Whether it has another form than this version's; recovery passes it over too.
        self.snapshot_unreadable = False

    def take(self, facts: Sequence[Fact]) -> None:
        """Let one command's facts take effect, then look at what they made."""
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
        """Nothing can be said about a state once a fact did not fit into it."""
        streams = self.exchange.streams
        applied = [
            fact
            for fact in facts
            if fact.stream in streams and streams[fact.stream].version >= fact.version
        ]
        # The last one that was tried: its aggregate counted it before it failed.
        fact = applied[-1] if applied else facts[0]
        self.broken = True
        what = f"it does not fit: {type(reason).__name__} {reason}"
        self._findings.note("replay", fact, what)

    # --- the live state ---

    def _check_live(self, fact: Fact) -> None:
        told = self.expected.pop(fact.stream)
        self.live_compared += 1
        aggregate = self.exchange.streams[fact.stream]
        if aggregate.version != told.version or state_hash(aggregate) != told.hash:
            self._findings.note(
                "live", fact, f"the live state at version {told.version} is another"
            )

    def _check_complete(self, fact: Fact, live: LiveState) -> None:
        told = {each.stream for each in live.streams}
        for stream, aggregate in self.exchange.streams.items():
            if aggregate.version and stream not in told:
                self._findings.note("live", fact, f"the live state has no {stream}")

    def end(self) -> None:
        """What is expected still was told of and is not in the log."""
        if self.broken:
            return
        for told in self.expected.values():
            what = f"the live state is at version {told.version}, beyond the log"
            self._note("live", told.stream, what)
        if self._snapshot is not None:
            self._meet_snapshot()
        elif not self._met_snapshot:
            # Without a snapshot in store, one in memory proves at least the form.
            self._compare(load(dump(self.exchange)))

    def _note(self, check: str, stream: Stream, what: str) -> None:
        """A violation that the state shows, not one fact."""
        position = self.exchange.position
        self._findings.add(Violation(check, position, stream, "", what))

    # --- the newest snapshot ---

    def _meet_snapshot(self) -> None:
        """Compare, if the state is that of the snapshot's place in the log."""
        snapshot, self._snapshot = self._snapshot, None
        assert snapshot is not None
        self._met_snapshot = True
        if snapshot.position != self.exchange.position:
            # The last of its facts is gone, or it never was the last of a command.
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
        orders, kept = replayed.orders.accounts, saved.orders.accounts
        for account in {**orders, **kept}:
            if orders.get(account) != kept.get(account):
                yield f"the index of the orders of {account}"
        if replayed.register.client_ids != saved.register.client_ids:
            yield "the register of client order ids"
        if replayed.register.uses != saved.register.uses:
            yield "the register of keys"


def _hash(streams: Mapping[Stream, Aggregate], stream: Stream) -> str | None:
    aggregate = streams.get(stream)
    return None if aggregate is None else state_hash(aggregate)

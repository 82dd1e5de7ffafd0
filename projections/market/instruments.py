"""The listed instruments: their terms, and whether they are halted."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from domain.events.event import Event, Timestamp
from domain.events.market import DayRolled, Halted, Listed, ListingChanged, Resumed
from domain.events.register import Fact
from domain.ids import LOG_START, AssetId, LogPosition, Symbol, symbol_of
from domain.listing import Listing
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import (
    Change,
    PutRows,
    ReadAllRows,
    ReadReferred,
    ReadResult,
    ReadRows,
    Request,
    View,
    Views,
    in_pairs,
    present,
)

VIEW = View("instruments")
LISTINGS = "listings"
ASSET_IDS = "asset_ids"


class Instrument(msgspec.Struct, array_like=True, gc=False):
    """An instrument's current state. `session_date` is the day of its session."""

    listing: Listing
    listed_at: Timestamp
    session_date: str
    halted: bool = False
    halt_reason: str = ""
    changed_at: Timestamp = 0
    log_position: LogPosition = LOG_START

    @property
    def symbol(self) -> Symbol:
        """The symbol in the listing."""
        return self.listing.symbol


class InstrumentsProjection(Projection):
    """The fold of listings, halts and day rolls."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._listings = Rows(LISTINGS, Instrument)
        super().__init__(self._listings)
        self._asset_ids: dict[str, Symbol] = {}

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._asset_ids = {}

    def _instrument(self, fact: Fact) -> Instrument:
        instrument = self._listings.change(symbol_of(fact.stream))
        instrument.changed_at = fact.event.meta.at
        instrument.log_position = fact.position
        return instrument

    @needs(ListingChanged, Halted, Resumed, DayRolled)
    def _touches(self, _event: Event, fact: Fact) -> None:
        self._listings.want(symbol_of(fact.stream))

    @on(Listed)
    def _listed(self, event: Listed, fact: Fact) -> None:
        symbol, at = symbol_of(fact.stream), event.meta.at
        instrument = Instrument(event.listing, at, event.session_date)
        self._listings.put(symbol, instrument)
        self._instrument(fact)
        self._asset_ids[event.listing.asset_id] = symbol

    @on(ListingChanged)
    def _changed(self, event: ListingChanged, fact: Fact) -> None:
        self._instrument(fact).listing = event.listing

    @on(Halted)
    def _halted(self, event: Halted, fact: Fact) -> None:
        instrument = self._instrument(fact)
        instrument.halted = True
        instrument.halt_reason = event.reason

    @on(Resumed)
    def _resumed(self, _event: Resumed, fact: Fact) -> None:
        instrument = self._instrument(fact)
        instrument.halted = False
        instrument.halt_reason = ""

    @on(DayRolled)
    def _rolled(self, event: DayRolled, fact: Fact) -> None:
        self._instrument(fact).session_date = event.session_date

    def changes(self) -> list[Change]:
        changes = super().changes()
        if self._asset_ids:
            changes.append(PutRows(ASSET_IDS, self._asset_ids))
        self._asset_ids = {}
        return changes


def _decode(stored: bytes) -> Instrument:
    return msgspec.json.decode(stored, type=Instrument)


async def instrument(views: Views, name: Symbol | AssetId) -> Instrument | None:
    """Return the instrument with this symbol or asset id; None if there is none."""
    by_symbol = ReadRows(LISTINGS, [name])
    by_asset_id = ReadReferred(ASSET_IDS, LISTINGS, [name])
    answer = await views.read(VIEW, [by_symbol, by_asset_id])
    stored = [value for reply in answer.replies for value in present(reply)]
    with decoding(VIEW, answer):
        return _decode(stored[0]) if stored else None


def named_request(symbols: Sequence[Symbol]) -> Request:
    """Return the read of several instruments, for `named_of`."""
    return Request(VIEW, [ReadRows(LISTINGS, symbols)])


def named_of(answer: ReadResult) -> dict[Symbol, Instrument]:
    """Return the instruments that were read. Unknown symbols are skipped."""
    with decoding(VIEW, answer):
        listed = [_decode(value) for value in present(answer.replies[0])]
    return {each.symbol: each for each in listed}


async def all_instruments(
    views: Views, *, q: str = "", halted: bool | None = None
) -> list[Instrument]:
    """Return instruments by symbol. `q` matches symbol or name, ignoring case."""
    answer = await views.read(VIEW, [ReadAllRows(LISTINGS)])
    with decoding(VIEW, answer):
        listings = [_decode(stored) for _, stored in in_pairs(answer.replies[0])]
    if halted is not None:
        listings = [each for each in listings if each.halted is halted]
    wanted = q.casefold()
    named = (
        each
        for each in listings
        if wanted in each.symbol.casefold() or wanted in each.listing.name.casefold()
    )
    return sorted(named, key=lambda each: each.symbol)

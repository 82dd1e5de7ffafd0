"""The writer's state in memory: the aggregates and the indexes over their facts.

Executing commands and replaying their facts from the log give the same state.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from commands.companions import Companion
from commands.state.order_index import OrderIndex
from commands.state.register import Register, Use
from domain.accounts.user import EmailClaim, SecurityLog, User
from domain.accounts.wallet import Wallet
from domain.aggregate import Aggregate, Outbox
from domain.aggregates import AGGREGATES, empty_aggregate
from domain.errors import NotFound, UnknownSymbol
from domain.events.event import Meta
from domain.events.register import AnyEvent, Fact, Recorded
from domain.ids import (
    HOUSE_ACCOUNT,
    LOG_START,
    SYSTEM,
    AccountId,
    AssetId,
    LogPosition,
    Stream,
    Symbol,
    UserId,
)
from domain.key_log import KeyLog
from domain.market.market import Market
from domain.vocabulary import WalletKind

A = TypeVar("A", bound=Aggregate)
#: No index folds most wallet facts: a look-up here is cheaper than a call.
_INDEXED = frozenset({*OrderIndex.folds, *Register.folds})
#: Uses without a log position, each with its fact's offset; `locate` adds the base.
Unlocated: TypeAlias = list[tuple[Use, int]]


#: The length of a UUID; every symbol is shorter.
ASSET_ID_LENGTH = 36


class Exchange:
    """The aggregates of one shard, and the indexes over their facts.

    `outbox` collects the facts of the current command. `streams` maps a stream to its
    aggregate; `markets`, `wallets` and the like map an id to one of that class.
    """

    def __init__(self) -> None:
        self.outbox: Outbox = []
        self.streams: dict[Stream, Aggregate] = {}
        self._of: dict[type[Aggregate], dict[Any, Any]] = {
            each: {} for each in AGGREGATES.values()
        }
        self.markets: dict[Symbol, Market] = self.all(Market)
        self.wallets: dict[AccountId, Wallet] = self.all(Wallet)
        self.users: dict[UserId, User] = self.all(User)
        self.claims: dict[str, EmailClaim] = self.all(EmailClaim)
        self.security = SecurityLog("log", self.outbox)
        self.add(self.security)
        self.keys = KeyLog("log", self.outbox)
        self.add(self.keys)
        self.register = Register(self.keys)
        self.orders = OrderIndex(self.keys)
        self.unlocated: Unlocated = []
        #: Rows to commit with the facts recorded since the last batch.
        self.companions: list[Companion] = []
        #: The log position of the newest fact in the state.
        self.position = LOG_START

    # --- look up ---

    def all(self, kind: type[A]) -> dict[Any, A]:
        """Return the aggregates of one class by the stream's name after the prefix."""
        return self._of[kind]

    def market(self, symbol: Symbol) -> Market:
        """Return the market of a symbol.

        Raises:
            UnknownSymbol: no listed instrument has the symbol.
        """
        market = self.markets.get(symbol)
        if market is None:
            raise UnknownSymbol(symbol=symbol)
        return market

    def find_market(self, name: Symbol | AssetId) -> Market | None:
        """Return the market of a symbol or an asset id, or None."""
        market = self.markets.get(Symbol(name))
        if market is None and len(name) == ASSET_ID_LENGTH:
            for each in self.markets.values():
                if each.listing.asset_id == name:
                    return each
        return market

    def wallet(self, account_id: AccountId) -> Wallet:
        """Return the wallet of an account.

        Raises:
            NotFound: the account does not exist.
        """
        wallet = self.wallets.get(account_id)
        if wallet is None:
            raise NotFound("account", account_id)
        return wallet

    def claim(self, claim: str) -> EmailClaim:
        """Return the claim on an address; a new claim is not added yet."""
        known = self.claims.get(claim)
        if known is None:
            known = EmailClaim(claim, self.outbox)
        return known

    def house(self, meta: Meta) -> Wallet:
        """Return the venue's wallet; open it for the first fee."""
        wallet = self.wallets.get(HOUSE_ACCOUNT)
        if wallet is None:
            wallet = Wallet(HOUSE_ACCOUNT, self.outbox)
            self.add(wallet)
            wallet.open(SYSTEM, WalletKind.HOUSE, meta=meta)
        return wallet

    # --- change ---

    def add(self, aggregate: Aggregate) -> None:
        """Add a new aggregate under its stream and its id."""
        self.streams[aggregate.stream] = aggregate
        name = aggregate.stream.partition("-")[2]
        self._of[type(aggregate)][name] = aggregate

    def aggregate(self, stream: Stream) -> Aggregate:
        """Return the aggregate of a stream; add a new one for a new stream."""
        aggregate = self.streams.get(stream)
        if aggregate is None:
            aggregate = empty_aggregate(stream, self.outbox)
            self.add(aggregate)
        return aggregate

    def index(self, event: AnyEvent, stream: Stream, place: int) -> None:
        """Fold a fact into the index that its type belongs to.

        `place` is kept with a use until the use has a log position.
        """
        kind = type(event)
        fold = OrderIndex.folds.get(kind)
        if fold is not None:
            fold(self.orders, stream, event)
        else:
            use = Register.folds[kind](self.register, stream, event)
            self.unlocated.append((use, place))

    def index_command(self, facts: Sequence[Recorded]) -> None:
        """Fold the facts of one command, and its key if any, into the indexes."""
        for place, recorded in enumerate(facts):
            if type(recorded.event) in _INDEXED:
                self.index(recorded.event, recorded.stream, place)
        if facts and facts[0].event.meta.key is not None:
            self.unlocated.append((self.register.keyed(facts[0].event), 0))

    def take_unlocated(self) -> Unlocated:
        """Return and clear the uses that wait for their log position."""
        if not self.unlocated:
            return []
        entries, self.unlocated = self.unlocated, []
        return entries

    def take_companions(self) -> list[Companion]:
        """Return and clear the rows to commit with the facts since the last call."""
        rows, self.companions = self.companions, []
        return rows

    def replay(self, facts: Sequence[Fact]) -> None:
        """Apply facts from the log again and fold them into the indexes."""
        streams = self.streams
        for fact in facts:
            stream, event = fact.stream, fact.event
            aggregate = streams.get(stream) or self.aggregate(stream)
            aggregate.replay(event)
            if type(event) in _INDEXED:
                # The aggregate's string, so that all its orders share one object.
                self.index(event, aggregate.stream, fact.position)
            if event.meta.key is not None:
                self.unlocated.append((self.register.keyed(event), fact.position))
        if facts:
            locate(self.take_unlocated(), first=LOG_START)
            self.position = facts[-1].position


def locate(unlocated: Unlocated, *, first: LogPosition) -> None:
    """Set the log positions of uses; the first fact of a use counts.

    `first` is the log position that the places count from.
    """
    for entry, place in unlocated:
        if not entry.position:
            entry.position = first + place

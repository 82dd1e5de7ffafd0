"""Everything that the writer holds in memory: the aggregates and what finds them.

The same state comes about by living and by replaying the log.
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
#: Most facts of wallets are in no index: asking first is cheaper than calling one.
_INDEXED = frozenset({*OrderIndex.folds, *Register.folds})
#: Uses that lack their log position, each with the place of its fact among others.
Unlocated: TypeAlias = list[tuple[Use, int]]


#: An asset id is a UUID; no symbol is as long.
ASSET_ID_LENGTH = 36


class Exchange:
    """The aggregates of one shard, and the indexes over their facts.

    `outbox` collects what they record for the command that is being carried out.
    `streams` are the aggregates by the name of their stream; `markets`, `wallets` and
    so on are those of one class by id.
    """

    def __init__(self) -> None:
        self.outbox: Outbox = []
        self.streams: dict[Stream, Aggregate] = {}
        self._of: dict[type[Aggregate], dict[str, Any]] = {
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
        self.register = Register()
        self.orders = OrderIndex(self.register)
        self.unlocated: Unlocated = []
        #: Rows that go with the facts recorded since the last batch.
        self.companions: list[Companion] = []
        #: The log position that the state has reached.
        self.position: LogPosition = 0

    # --- what is there ---

    def all(self, kind: type[A]) -> dict[str, A]:
        """Return the aggregates of one class by the rest of their stream's name."""
        return self._of[kind]

    def market(self, symbol: Symbol) -> Market:
        market = self.markets.get(symbol)
        if market is None:
            raise UnknownSymbol(symbol=symbol)
        return market

    def find_market(self, name: Symbol | AssetId) -> Market | None:
        """Return the market of a symbol, or of an asset id."""
        market = self.markets.get(name)
        if market is None and len(name) == ASSET_ID_LENGTH:
            for each in self.markets.values():
                if each.listing.asset_id == name:
                    return each
        return market

    def wallet(self, account_id: AccountId) -> Wallet:
        wallet = self.wallets.get(account_id)
        if wallet is None:
            raise NotFound("account", account_id)
        return wallet

    def claim(self, claim: str) -> EmailClaim:
        """The claim on an address, new where nobody holds it yet."""
        known = self.claims.get(claim)
        if known is None:
            known = EmailClaim(claim, self.outbox)
        return known

    def house(self, meta: Meta) -> Wallet:
        """The wallet of the venue, opened when the first fee comes in."""
        wallet = self.wallets.get(HOUSE_ACCOUNT)
        if wallet is None:
            wallet = Wallet(HOUSE_ACCOUNT, self.outbox)
            self.add(wallet)
            wallet.open(SYSTEM, WalletKind.HOUSE, meta=meta)
        return wallet

    # --- what comes about ---

    def add(self, aggregate: Aggregate) -> None:
        """Take in a new aggregate, under its own id."""
        self.streams[aggregate.stream] = aggregate
        name = aggregate.stream.partition("-")[2]
        self._of[type(aggregate)][name] = aggregate

    def aggregate(self, stream: Stream) -> Aggregate:
        """Return the aggregate of a stream, a new one for a new stream."""
        aggregate = self.streams.get(stream)
        if aggregate is None:
            aggregate = empty_aggregate(stream, self.outbox)
            self.add(aggregate)
        return aggregate

    def index(self, event: AnyEvent, stream: Stream, place: int) -> None:
        """Fold a fact of a kind that an index wants.

        A use keeps `place` until it has a log position.
        """
        kind = type(event)
        fold = OrderIndex.folds.get(kind)
        if fold is not None:
            fold(self.orders, stream, event)
        else:
            use = Register.folds[kind](self.register, stream, event)
            self.unlocated.append((use, place))

    def index_command(self, facts: Sequence[Recorded]) -> None:
        """Fold the facts of one command into the indexes, and its key if it has one."""
        for place, recorded in enumerate(facts):
            if type(recorded.event) in _INDEXED:
                self.index(recorded.event, recorded.stream, place)
        if facts and facts[0].event.meta.key is not None:
            self.unlocated.append((self.register.keyed(facts[0].event), 0))

    def take_unlocated(self) -> Unlocated:
        """Hand over the uses of the newest command that await their log position."""
        if not self.unlocated:
            return []
        entries, self.unlocated = self.unlocated, []
        return entries

    def take_companions(self) -> list[Companion]:
        """Hand over the rows that go with the facts recorded since the last time."""
        rows, self.companions = self.companions, []
        return rows

    def replay(self, facts: Sequence[Fact]) -> None:
        """Let facts from the log take effect again."""
        streams = self.streams
        for fact in facts:
            stream, event = fact.stream, fact.event
            aggregate = streams.get(stream) or self.aggregate(stream)
            aggregate.replay(event)
            if type(event) in _INDEXED:
                # The aggregate's name of the stream: one text for all its orders.
                self.index(event, aggregate.stream, fact.position)
            if event.meta.key is not None:
                self.unlocated.append((self.register.keyed(event), fact.position))
        if facts:
            locate(self.take_unlocated(), first=0)
            self.position = facts[-1].position


def locate(unlocated: Unlocated, *, first: LogPosition) -> None:
    """Give uses their log positions; the first fact of a use counts."""
    for entry, place in unlocated:
        if not entry.position:
            entry.position = first + place

"""Everything that the writer holds in memory: the aggregates and what finds them.

The same state comes about by living and by replaying the log.
"""

from collections.abc import Sequence

from commands.order_index import OrderIndex
from commands.receipts import Receipts
from domain.aggregate import Aggregate
from domain.errors import NotFound, UnknownSymbol
from domain.events import Fact, Meta, Recorded
from domain.ids import (
    HOUSE_ACCOUNT,
    SYSTEM,
    AccountId,
    LogPosition,
    Stream,
    Symbol,
    UserId,
)
from domain.market import Market
from domain.user import EmailClaim, SecurityLog, User
from domain.vocabulary import WalletKind
from domain.wallet import Wallet


class Exchange:
    """The aggregates of one shard by id, and the indexes over their facts.

    `outbox` collects what they record, in the order of the log. `streams` are the
    aggregates once more, by the name of their stream.
    """

    def __init__(self) -> None:
        self.outbox: list[Recorded] = []
        self.streams: dict[Stream, Aggregate] = {}
        self.markets: dict[Symbol, Market] = {}
        self.wallets: dict[AccountId, Wallet] = {}
        self.users: dict[UserId, User] = {}
        self.claims: dict[str, EmailClaim] = {}
        self.security = SecurityLog(self.outbox)
        self.streams[self.security.stream] = self.security
        self.orders = OrderIndex()
        self.receipts = Receipts()
        #: The log position that the state has reached.
        self.position: LogPosition = 0

    # --- what is there ---

    def market(self, symbol: Symbol) -> Market:
        market = self.markets.get(symbol)
        if market is None:
            raise UnknownSymbol(symbol=symbol)
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
        if isinstance(aggregate, Wallet):
            self.wallets[name] = aggregate
        elif isinstance(aggregate, Market):
            self.markets[name] = aggregate
        elif isinstance(aggregate, User):
            self.users[name] = aggregate
        elif isinstance(aggregate, EmailClaim):
            self.claims[name] = aggregate

    def index(self, events: Sequence[Recorded]) -> None:
        """Fold facts just recorded into the indexes."""
        streams, orders, receipts = self.streams, self.orders, self.receipts
        for recorded in events:
            stream, event = recorded.stream, recorded.event
            if stream[0] == "m":
                market = streams[stream]
                assert isinstance(market, Market)
                orders.apply(market.book.symbol, event)
            receipts.apply(stream, event)

    def locate(self, events: Sequence[Recorded], first: LogPosition) -> None:
        """Tell the indexes where facts, now committed, stand in the log."""
        orders, receipts = self.orders, self.receipts
        for position, recorded in enumerate(events, first):
            orders.locate(recorded.event, position)
            receipts.apply(recorded.stream, recorded.event, position)
        self.position = first + len(events) - 1

    def replay(self, facts: Sequence[Fact]) -> None:
        """Let facts from the log take effect again."""
        streams, orders, receipts = self.streams, self.orders, self.receipts
        for fact in facts:
            stream, event = fact.stream, fact.event
            aggregate = streams.get(stream)
            if aggregate is None:
                aggregate = empty_aggregate(stream, self.outbox)
                self.add(aggregate)
            aggregate.replay(event)
            if stream[0] == "m":
                assert isinstance(aggregate, Market)
                orders.apply(aggregate.book.symbol, event)
                orders.locate(event, fact.position)
            receipts.apply(stream, event, fact.position)
        if facts:
            self.position = facts[-1].position


def empty_aggregate(stream: Stream, outbox: list[Recorded]) -> Aggregate:
    """The aggregate that a stream belongs to, before its first event."""
    kind, _, name = stream.partition("-")
    return _KINDS[kind](name, outbox)


_KINDS = {"wallet": Wallet, "market": Market, "user": User, "email": EmailClaim}

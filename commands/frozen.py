"""The writer's state as plain data: what a snapshot keeps, and what a hash is taken of.

One frozen form for each aggregate and each account's index. Freezing equal states gives
equal bytes, whether they came about by living, by replaying or from a snapshot.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeAlias, TypeVar

import msgspec

from commands.exchange import Exchange
from commands.order_index import OrderEntry
from commands.register import Use
from domain.aggregate import Aggregate, Outbox
from domain.ids import LogPosition
from domain.key_log import KeyLog
from domain.listing import Listing
from domain.market import Market
from domain.order import Order
from domain.user import EmailClaim, SecurityLog, User
from domain.vocabulary import Role, SelfTradePrevention, Side, WalletKind
from domain.wallet import Hold, Holding, Wallet

K = TypeVar("K")
V = TypeVar("V")
#: Entries of an index in one chunk: some megabytes.
SLICE = 50_000


class _Frozen(msgspec.Struct, array_like=True, tag=True, gc=False):
    """Common to all: the fields stand in their order, behind the kind's name."""


class FrozenMarket(_Frozen):
    symbol: str
    version: int
    listing: Listing
    listed_at: int
    halt_reason: str | None
    session_date: str
    last_price: int | None
    previous_close: int | None
    trades: int
    bids: list[Order]
    asks: list[Order]


class FrozenWallet(_Frozen):
    account_id: str
    version: int
    user_id: str
    kind: WalletKind
    ledger: int
    holds: dict[str, Hold]
    holdings: dict[str, Holding]
    reserves: dict[str, tuple[str, int]]
    self_trade_prevention: SelfTradePrevention
    suspended: bool


class FrozenUser(_Frozen):
    user_id: str
    version: int
    account_id: str
    claim: str
    roles: list[Role]


class FrozenClaim(_Frozen):
    claim: str
    version: int
    user_id: str | None


class FrozenSecurity(_Frozen):
    version: int
    minute: int
    noted: int


class FrozenKeys(_Frozen):
    version: int


class FrozenOrders(_Frozen):
    account_id: str
    orders: dict[str, OrderEntry]
    ids: dict[str, str]


class FrozenRegister(_Frozen):
    uses: dict[str, Use]


FrozenAggregate: TypeAlias = (
    FrozenMarket | FrozenWallet | FrozenUser | FrozenClaim | FrozenSecurity | FrozenKeys
)
Frozen: TypeAlias = FrozenAggregate | FrozenOrders | FrozenRegister


class FrozenHead(msgspec.Struct, array_like=True):
    """The first chunk: the log position that the state has reached."""

    position: LogPosition


def freeze(aggregate: Aggregate) -> FrozenAggregate:
    """An aggregate as plain data."""
    if isinstance(aggregate, Market):
        return _freeze_market(aggregate)
    if isinstance(aggregate, Wallet):
        return _freeze_wallet(aggregate)
    if isinstance(aggregate, User):
        return FrozenUser(
            aggregate.user_id,
            aggregate.version,
            aggregate.account_id,
            aggregate.claim,
            sorted(aggregate.roles),
        )
    if isinstance(aggregate, EmailClaim):
        claim = aggregate.stream.partition("-")[2]
        return FrozenClaim(claim, aggregate.version, aggregate.user_id)
    if isinstance(aggregate, SecurityLog):
        return FrozenSecurity(aggregate.version, aggregate.minute, aggregate.noted)
    assert isinstance(aggregate, KeyLog)
    return FrozenKeys(aggregate.version)


def _freeze_market(market: Market) -> FrozenMarket:
    return FrozenMarket(
        market.book.symbol,
        market.version,
        market.listing,
        market.listed_at,
        market.halt_reason,
        market.session_date,
        market.last_price,
        market.previous_close,
        market.trades,
        list(market.book.resting(Side.BUY)),
        list(market.book.resting(Side.SELL)),
    )


def _freeze_wallet(wallet: Wallet) -> FrozenWallet:
    return FrozenWallet(
        wallet.stream.partition("-")[2],
        wallet.version,
        wallet.user_id,
        wallet.kind,
        wallet.ledger,
        wallet.holds,
        wallet.holdings,
        wallet.reserves,
        wallet.self_trade_prevention,
        wallet.suspended,
    )


def state_hash(aggregate: Aggregate) -> str:
    """A fingerprint of an aggregate's whole state, its version included."""
    return hashlib.sha256(msgspec.msgpack.encode(freeze(aggregate))).hexdigest()


def dump(exchange: Exchange) -> Iterator[bytes]:
    """The whole state in chunks, one for each aggregate and index."""
    encode = msgspec.msgpack.Encoder().encode
    yield encode(FrozenHead(exchange.position))
    for aggregate in exchange.streams.values():
        yield encode(freeze(aggregate))
    for account_id, orders in exchange.orders.accounts.items():
        for entries in _slices(orders):
            yield encode(FrozenOrders(account_id, entries, {}))
    for account_id, client_ids in exchange.register.client_ids.items():
        for ids in _slices(client_ids):
            yield encode(FrozenOrders(account_id, {}, ids))
    for uses in _slices(exchange.register.uses):
        yield encode(FrozenRegister(uses))


def _slices(entries: dict[K, V]) -> Iterator[dict[K, V]]:
    """What only ever grows, in parts of which each fits into one field of a row."""
    items = iter(entries.items())
    while part := dict(islice(items, SLICE)):
        yield part


def load(chunks: Iterable[bytes]) -> Exchange:
    """The state that was dumped.

    Raises:
        msgspec.DecodeError: it was dumped in another form.
    """
    exchange = Exchange()
    decode = msgspec.msgpack.Decoder(Frozen).decode
    stream = iter(chunks)
    # Nothing at all is no head either.
    head = msgspec.msgpack.decode(next(stream, b""), type=FrozenHead)
    for chunk in stream:
        _thaw(exchange, decode(chunk))
    exchange.position = head.position
    return exchange


def _thaw(exchange: Exchange, frozen: Frozen) -> None:
    match frozen:
        case FrozenOrders():
            if frozen.orders:
                orders = exchange.orders.accounts
                orders.setdefault(frozen.account_id, {}).update(frozen.orders)
            if frozen.ids:
                ids = exchange.register.client_ids
                ids.setdefault(frozen.account_id, {}).update(frozen.ids)
        case FrozenRegister():
            exchange.register.uses.update(frozen.uses)
        case FrozenSecurity():
            exchange.security.version = frozen.version
            exchange.security.minute = frozen.minute
            exchange.security.noted = frozen.noted
        case FrozenKeys():
            exchange.keys.version = frozen.version
        case _:
            exchange.add(_thaw_aggregate(frozen, exchange.outbox))


def _thaw_aggregate(
    frozen: FrozenMarket | FrozenWallet | FrozenUser | FrozenClaim, outbox: Outbox
) -> Aggregate:
    match frozen:
        case FrozenMarket():
            aggregate = _thaw_market(frozen, outbox)
        case FrozenWallet():
            aggregate = _thaw_wallet(frozen, outbox)
        case FrozenUser():
            aggregate = User(frozen.user_id, outbox)
            aggregate.account_id = frozen.account_id
            aggregate.claim = frozen.claim
            aggregate.roles = set(frozen.roles)
        case _:
            aggregate = EmailClaim(frozen.claim, outbox)
            aggregate.user_id = frozen.user_id
    aggregate.version = frozen.version
    return aggregate


def _thaw_market(frozen: FrozenMarket, outbox: Outbox) -> Market:
    market = Market(frozen.symbol, outbox)
    market.listing = frozen.listing
    market.listed_at = frozen.listed_at
    market.halt_reason = frozen.halt_reason
    market.session_date = frozen.session_date
    market.last_price = frozen.last_price
    market.previous_close = frozen.previous_close
    market.trades = frozen.trades
    for order in (*frozen.bids, *frozen.asks):
        market.book.enter(order, order.leaves)
    return market


def _thaw_wallet(frozen: FrozenWallet, outbox: Outbox) -> Wallet:
    wallet = Wallet(frozen.account_id, outbox)
    wallet.user_id = frozen.user_id
    wallet.kind = frozen.kind
    wallet.ledger = frozen.ledger
    wallet.holds = frozen.holds
    wallet.held = sum(hold.amount for hold in frozen.holds.values())
    wallet.holdings = frozen.holdings
    wallet.reserves = frozen.reserves
    wallet.self_trade_prevention = frozen.self_trade_prevention
    wallet.suspended = frozen.suspended
    return wallet

"""After a generated day, each view agrees with the write side's state."""

import pytest

from api.read.holdings import holdings
from domain.events.market import TradeExecuted
from domain.events.user import UserRegistered
from domain.ids import market_stream, symbol_of
from domain.market.order import OPEN_STATUSES
from domain.money import NO_MONEY, NO_SHARES
from domain.vocabulary import OrderStatus
from projections.accounts import users
from projections.accounts.balances import balance
from projections.accounts.statements import Movement, movements
from projections.market import depth, instruments
from projections.orders.order_queries import ALL, fills, orders
from projections.store import ViewUnavailable
from tests.support.facts import segment
from tests.support.flow import Flow
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.views import all_positions, live_host, open_positions, trades

FLOW = Flow(17)
FACTS = FLOW.run(1_500)
ACCOUNTS = list(FLOW.exchange.wallets)


@pytest.fixture(scope="module")
def views() -> MemoryViews:
    """The views of all facts of the generated day."""
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    return MemoryViews(store)


@pytest.mark.rule("VIEW-10")
async def test_balances_are_those_of_the_wallets(views: MemoryViews):
    for account_id, wallet in FLOW.exchange.wallets.items():
        shown = await balance(views, account_id)

        assert shown is not None
        assert (shown.ledger, shown.held) == (wallet.ledger, wallet.held)
        assert shown.available == wallet.available
        assert (shown.kind, shown.user_id) == (wallet.kind, wallet.user_id)
        assert shown.self_trade_prevention is wallet.self_trade_prevention


@pytest.mark.rule("VIEW-11")
async def test_positions_are_those_of_the_wallets(views: MemoryViews):
    for account_id, wallet in FLOW.exchange.wallets.items():
        shown = {each.symbol: each for each in await all_positions(views, account_id)}

        for symbol, holding in wallet.holdings.items():
            position = shown.pop(symbol)
            assert position.quantity == holding.quantity
            assert position.reserved == holding.reserved
            assert position.cost_basis == holding.cost
            assert position.available == holding.quantity - holding.reserved
        assert shown == {}


@pytest.mark.rule("VIEW-12")
async def test_open_orders_are_those_of_the_books(views: MemoryViews):
    books = [market.book for market in FLOW.exchange.markets.values()]
    held = {order.order_id: order for book in books for order in book.orders.values()}
    shown = [
        record
        for account_id in ACCOUNTS
        for record in await orders(views, account_id, limit=100_000)
    ]

    assert {record.order_id for record in shown} == set(held)
    for record in shown:
        order = held[record.order_id]
        assert record.leaves == order.leaves
        assert record.filled_notional == order.filled_notional
        partly = OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.NEW
        assert record.status is partly


@pytest.mark.rule("VIEW-12")
async def test_the_fills_of_an_order_add_up_to_its_record(views: MemoryViews):
    count = 0
    for account_id in ACCOUNTS:
        for record in await orders(views, account_id, statuses=ALL, limit=100_000):
            done = await fills(views, record)
            count += len(done)
            assert len(done) == record.fills
            assert sum((fill.fee for fill in done), NO_MONEY) == record.fees
            if record.replaces is None:
                assert sum((fill.quantity for fill in done), NO_SHARES) == record.filled
                notional = sum((fill.price * fill.quantity for fill in done), NO_MONEY)
                assert notional == record.filled_notional
            assert (record.leaves > 0) is (record.status in OPEN_STATUSES)

    trades = [fact for fact in FACTS if isinstance(fact.event, TradeExecuted)]
    assert count == 2 * len(trades) > 100


@pytest.mark.rule("VIEW-14")
async def test_depth_is_that_of_the_books(views: MemoryViews):
    for symbol, market in FLOW.exchange.markets.items():
        shown = await depth.book(views, symbol, levels=1_000)

        assert shown is not None
        for side, levels in (
            (market.book.bids, shown.bids),
            (market.book.asks, shown.asks),
        ):
            held = [(each.price, each.quantity, len(list(each))) for each in side]
            assert [(each.price, each.quantity, each.orders) for each in levels] == held
        versions = [f.version for f in FACTS if f.stream == market_stream(symbol)]
        assert shown.sequence == versions[-1]


@pytest.mark.rule("VIEW-15")
async def test_the_tape_has_every_trade_in_order(views: MemoryViews):
    for symbol in FLOW.symbols:
        executed = [
            (fact.position, fact.event.trade_id, fact.event.price, fact.event.quantity)
            for fact in FACTS
            if isinstance(fact.event, TradeExecuted)
            and symbol_of(fact.stream) == symbol
        ]

        shown = await trades(views, symbol, newest_first=False, limit=10_000)

        assert [
            (each.log_position, each.trade_id, each.price, each.quantity)
            for each in shown
        ] == executed


@pytest.mark.rule("VIEW-16")
async def test_statements_add_up_to_the_balances(views: MemoryViews):
    for account_id, wallet in FLOW.exchange.wallets.items():
        lines: list[Movement] = []
        last = None
        while not lines or last is not None:
            page = await movements(
                views, account_id, newest_first=False, after_position=last
            )
            lines, last = lines + page.lines, page.last

        balance_before = NO_MONEY
        for line in lines:
            assert line.balance == balance_before + line.amount
            balance_before = line.balance
        assert balance_before == wallet.ledger
        shares = {
            symbol: sum(
                (line.quantity for line in lines if line.symbol == symbol), NO_SHARES
            )
            for symbol in wallet.holdings
        }
        assert shares == {s: held.quantity for s, held in wallet.holdings.items()}


@pytest.mark.rule("VIEW-17")
async def test_users_are_found_by_id_and_by_claim(views: MemoryViews):
    for fact in FACTS:
        if isinstance(fact.event, UserRegistered):
            user_id = users.user_of(fact.stream)
            held = FLOW.exchange.users[user_id]
            shown = await users.user(views, user_id)

            assert shown is not None
            assert shown == await users.by_claim(views, fact.event.claim)
            assert set(shown.roles) == held.roles
            assert shown.email_sealed == fact.event.email_sealed
            assert not hasattr(shown, "password_hash")
    assert await users.by_claim(views, "nobody's") is None


@pytest.mark.rule("VIEW-18")
async def test_instruments_are_those_of_the_markets(views: MemoryViews):
    for symbol, market in FLOW.exchange.markets.items():
        shown = await instruments.instrument(views, symbol)

        assert shown is not None
        assert (shown.listing, shown.halted) == (market.listing, market.halted)
        assert shown.session_date == market.session_date
        by_id = await instruments.instrument(views, market.listing.asset_id)
        assert by_id == shown
    names = [*FLOW.exchange.markets, "NONE"]
    (read,) = await views.read_at_once([instruments.named_request(names)])
    assert instruments.named_of(read).keys() == FLOW.exchange.markets.keys()


@pytest.mark.rule("VIEW-10")
@pytest.mark.rule("VIEW-11")
async def test_a_portfolio_is_the_balance_and_the_open_positions(views: MemoryViews):
    for account_id in [*ACCOUNTS, "nobody"]:
        cash, held = await holdings(views, account_id)

        assert cash == await balance(views, account_id)
        shares = [each.position for each in held]
        assert shares == await open_positions(views, account_id)
        for each in held:
            named = (each.instrument.symbol, each.price.symbol)
            assert named == (each.position.symbol,) * 2


@pytest.mark.rule("VIEW-03")
async def test_a_missing_view_is_reported_by_its_name():
    with pytest.raises(ViewUnavailable, match="balances"):
        await holdings(MemoryViews(MemoryStore()), ACCOUNTS[0])

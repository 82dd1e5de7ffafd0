"""A listing costs as much as what it shows, however many orders an account closed."""

from collections.abc import AsyncGenerator

import pytest
from redis import Redis

from domain.ids import Symbol
from domain.vocabulary import OrderStatus, Side
from infra.views.redis_store import RedisStore, RedisViews
from projections.orders.order_queries import ALL, CLOSED, OPEN, orders
from projections.orders.orders import OrdersProjection
from tests.support.facts import segment
from tests.support.rejections import ADA, rejections
from tests.support.views import live_host

CLOSED_ORDERS = 50_000
RARE = Symbol("RARE")


@pytest.fixture
async def views(redis_url: str) -> AsyncGenerator[RedisViews]:
    """Yield the views of an account with very many closed orders, one of them RARE."""
    facts = rejections(
        CLOSED_ORDERS, symbol=lambda number: Symbol("ACME") if number else RARE
    )
    store = RedisStore(redis_url)
    host = live_host(store, [OrdersProjection])
    for start in range(0, CLOSED_ORDERS, 2_000):
        host.apply(segment(facts[start : start + 2_000]))
    store.close()
    views = RedisViews(redis_url)
    yield views
    await views.close()


def entries_read(client: Redis) -> int:
    """Return an upper bound of the entries that Redis returned since the reset."""
    stats = client.info("commandstats")
    names = ("cmdstat_zrangebyscore", "cmdstat_zrevrangebyscore")
    # A page has at most 500 entries.
    return 500 * sum(stats.get(name, {}).get("calls", 0) for name in names)


@pytest.mark.rule("VIEW-19")
async def test_a_filter_without_a_match_searches_no_closed_orders(
    redis_url: str, views: RedisViews
):
    with Redis.from_url(redis_url) as client:
        client.config_resetstat()

        none = await orders(views, ADA, statuses=CLOSED, side=Side.BUY)
        other = await orders(views, ADA, statuses=ALL, symbols=[Symbol("GLBX")])
        filled = await orders(views, ADA, statuses=[OrderStatus.FILLED])
        still_open = await orders(views, ADA, statuses=OPEN, side=Side.SELL)

        assert (none, other, filled, still_open) == ([], [], [], [])
        assert entries_read(client) < CLOSED_ORDERS / 2


@pytest.mark.rule("VIEW-19")
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_rare_symbol_is_listed_without_a_search(
    redis_url: str, views: RedisViews, newest_first: bool
):
    with Redis.from_url(redis_url) as client:
        client.config_resetstat()

        shown = await orders(
            views, ADA, statuses=ALL, symbols=[RARE], newest_first=newest_first
        )

        assert [each.symbol for each in shown] == [RARE]
        assert entries_read(client) < CLOSED_ORDERS / 2

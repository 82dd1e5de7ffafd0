"""A query that meets a row that it cannot decode names the damaged view."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from processors.follower import Overtaken
from processors.runner import Runner
from projections.accounts import balances, statements, users
from projections.market import depth, instruments, price_queries, tape
from projections.orders import order_queries
from projections.readable import Unreadable
from projections.register import PROJECTIONS
from projections.store import Request, Views
from tests.support.facts import log_of
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.story import ACME, Story
from tests.support.views import all_positions, dump, price_history

Query: TypeAlias = Callable[[Views], Awaitable[object]]

pytestmark = pytest.mark.rule("VIEW-04")
GARBAGE = b"\xff not a row"


async def trades(views: Views) -> object:
    (result,) = await views.read_at_once([tape.trades_request(ACME)])
    return tape.trades_of(result)


async def named(views: Views) -> object:
    (result,) = await views.read_at_once([instruments.named_request([ACME])])
    return instruments.named_of(result)


async def fills(views: Views) -> object:
    story = traded()
    record = await order_queries.order(story.views, "order-001")
    assert record is not None
    return await order_queries.fills(views, record)


QUERIES: list[tuple[str, str, Query]] = [
    ("balances", "accounts", lambda views: balances.balance(views, "ada")),
    ("positions", "accounts", lambda views: all_positions(views, "ada")),
    ("users", "users", lambda views: users.user(views, "user-of-ada")),
    ("users", "claims", lambda views: users.by_claim(views, "user-of-ada")),
    ("statements", "account:ada", lambda views: statements.movements(views, "ada")),
    ("orders", "records", lambda views: order_queries.order(views, "order-001")),
    ("orders", "records", lambda views: order_queries.orders(views, "ada")),
    (
        "orders",
        "open:ada:partially_filled",
        lambda views: order_queries.orders(views, "ada"),
    ),
    (
        "orders",
        "instruments",
        lambda views: order_queries.orders(views, "ada", statuses=order_queries.ALL),
    ),
    (
        "orders",
        "records",
        lambda views: order_queries.by_client_order_id(views, "ada", "order-001"),
    ),
    (
        "orders",
        "client_ids",
        lambda views: order_queries.by_client_order_id(views, "ada", "order-001"),
    ),
    ("orders", "fills", fills),
    ("depth", "standings", lambda views: depth.book(views, ACME)),
    ("depth", "asks:ACME", lambda views: depth.book(views, ACME)),
    ("prices", "symbols", lambda views: price_queries.price(views, ACME)),
    ("prices", "symbols", lambda views: price_queries.prices(views)),
    ("prices", "symbols", lambda views: price_queries.prices(views, [ACME])),
    ("prices", "history:ACME", lambda views: price_history(views, ACME)),
    ("tape", "trades:ACME", trades),
    ("instruments", "listings", lambda views: instruments.instrument(views, ACME)),
    ("instruments", "listings", named),
    ("instruments", "listings", lambda views: instruments.all_instruments(views)),
    (
        "instruments",
        "asset_ids",
        lambda views: instruments.instrument(views, "asset-ACME"),
    ),
]


def traded() -> Story:
    story = Story()
    story.sell("ada", 10, at="100")
    story.buy("ben", 4, at="100")
    return story


def follow(runner: Runner, store: MemoryStore, head: int) -> None:
    """Do rounds, as the loop does, until every view is at the head."""
    for _ in range(50):
        try:
            runner.round()
        except Overtaken:
            runner.forget()
        results = store.read([Request(each.view, ()) for each in PROJECTIONS])
        if all(result and result.checkpoint == head for result in results):
            return
    pytest.fail("the views do not reach the head")


def damage(store: MemoryStore, name: str, key: str) -> None:
    """Replace every row of a table, or every member of a collection, by garbage."""
    (view,) = (each.view for each in PROJECTIONS if each.view.name == name)
    kept = store.contents(view, store.live[name])
    for row in kept.tables[key]:
        kept.tables[key][row] = GARBAGE
    if kept.collections[key]:
        kept.collections[key] = {GARBAGE: min(kept.collections[key].values())}


@pytest.mark.parametrize(("view", "key", "query"), QUERIES)
async def test_a_damaged_row_names_its_view_which_alone_is_filled_again(
    view: str, key: str, query: Query
):
    facts = traded().facts
    store, log = MemoryStore(), log_of(facts)
    names = iter("abcdefgh")
    runner = Runner(log, store, new_id=lambda: next(names))
    follow(runner, store, len(facts))
    views, before, expected = MemoryViews(store), dict(store.live), dump(store)
    shown = await query(views)
    damage(store, view, key)

    with pytest.raises(Unreadable) as damaged:
        await query(views)

    assert damaged.value.view.name == view
    await views.retire(damaged.value.view, damaged.value.generation)
    follow(runner, store, len(facts))
    assert await query(views) == shown
    assert dump(store) == expected
    after = dict(store.live)
    assert {name for name in before if before[name] != after[name]} == {view}

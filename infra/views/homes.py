"""The stores of the read models: Redis for the live ones, Postgres for history."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from infra.views.postgres_store import PostgresStore
from infra.views.redis_store import RedisStore
from projections.projection import Projection
from projections.store import (
    Generation,
    Home,
    LiveViews,
    Message,
    Read,
    ReadResult,
    Request,
    Store,
    StoreDown,
    View,
    available,
)


class ViewsOfHome(LiveViews, Protocol):
    """One store as queries use it."""

    async def read_many(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        """Answer all requests in one atomic step; None if no generation is live."""
        ...

    async def close(self) -> None: ...


class HomedViews:
    """The `Views` of all stores; each request goes to the home of its read model."""

    def __init__(self, homes: Mapping[Home, ViewsOfHome]) -> None:
        self.homes = homes

    async def close(self) -> None:
        for each in self.homes.values():
            await each.close()

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        return await self.homes[view.home].read(view, reads)

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        homes = {request.view.home for request in requests}
        assert len(homes) == 1, "two stores share no moment to read at"
        return available(requests, await self.homes[homes.pop()].read_many(requests))

    async def retire(self, view: View, generation: Generation) -> None:
        await self.homes[view.home].retire(view, generation)


@contextmanager
def view_stores(database_url: str, redis_url: str) -> Generator[dict[Home, Store]]:
    """Open the stores of all homes. Each announces its log position on Redis."""
    live = RedisStore(redis_url)
    history = PostgresStore(database_url, publish=_announcing(live))
    try:
        yield {Home.LIVE: live, Home.HISTORY: history}
    finally:
        history.close()
        live.close()


def _announcing(live: RedisStore) -> Callable[[Sequence[Message]], None]:
    def publish(messages: Sequence[Message]) -> None:
        # A message may be lost, because readers look at the checkpoints too.
        with suppress(StoreDown):
            live.publish(messages)

    return publish


def by_home(
    stores: Mapping[Home, Store], types: Sequence[type[Projection]]
) -> Iterator[tuple[Store, list[type[Projection]]]]:
    """Yield each store that keeps some of these read models, with those."""
    for home, store in stores.items():
        at_home = [each for each in types if each.view.home is home]
        if at_home:
            yield store, at_home

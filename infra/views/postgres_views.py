"""The asynchronous side of the read models in Postgres: queries.

The reads run in a few threads, and each thread takes an open connection. The event
loop's own threads stay free for logins and for the writer, however slow a read is.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg

from infra.log.connection import connect
from infra.views.postgres_snapshot import SET_LIVE, Connection, answers
from projections.store import (
    Generation,
    Read,
    ReadResult,
    Request,
    StoreDown,
    View,
    available,
)

T = TypeVar("T")

#: Reads that run at once; another read waits for one of their threads.
READS_AT_ONCE = 4
#: How long a query waits for its answer, and Postgres works on one statement.
READ_SECONDS_MAX = 5.0


class PostgresViews:
    """The `Views` in Postgres, for queries on one event loop."""

    def __init__(
        self, database_url: str, *, read_seconds_max: float = READ_SECONDS_MAX
    ) -> None:
        self._database_url = database_url
        self._read_seconds_max = read_seconds_max
        self._threads = ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="views")
        self._idle: deque[Connection] = deque()

    async def close(self) -> None:
        """Wait for the running reads, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        while self._idle:
            self._idle.pop().close()

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        (answer,) = await self.read_at_once([Request(view, reads)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        return available(requests, await self.read_many(requests))

    async def read_many(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        """Answer all requests from one snapshot.

        An answer is None if the read model has no live generation.
        """
        return await self._in_thread(lambda: self._read(requests))

    async def retire(self, view: View, generation: Generation) -> None:
        await self._in_thread(lambda: self._retire(view, generation))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._read_seconds_max):
                return await loop.run_in_executor(self._threads, work)
        except TimeoutError as reason:
            what = f"no answer within {self._read_seconds_max:g} s"
            raise StoreDown(what) from reason

    def _read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._read_on(self._connect(), requests)
            try:
                return self._read_on(connection, requests)
            except psycopg.OperationalError as reason:
                if isinstance(reason, psycopg.errors.QueryCanceled):
                    raise
                # Postgres has ended the idle connection, for example in a restart.
                return self._read_on(self._connect(), requests)
        except psycopg.errors.UndefinedTable:
            # The projector creates the tables and fills the views.
            return [None] * len(requests)
        except psycopg.Error as reason:
            raise StoreDown(str(reason)) from reason

    def _retire(self, view: View, generation: Generation) -> None:
        try:
            with self._connect() as connection:
                connection.execute(SET_LIVE, (False, view.name, generation))
        except psycopg.Error as reason:
            raise StoreDown(str(reason)) from reason

    def _connect(self) -> Connection:
        connection = connect(self._database_url, name="bourse-queries")
        milliseconds = str(int(self._read_seconds_max * 1000))
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false)", (milliseconds,)
        )
        return connection

    def _read_on(
        self, connection: Connection, requests: Sequence[Request]
    ) -> list[ReadResult | None]:
        try:
            answered = answers(connection, requests)
        except psycopg.Error:
            # The error undid preparations of statements that psycopg still relies on.
            connection.close()
            raise
        self._idle.append(connection)
        return answered

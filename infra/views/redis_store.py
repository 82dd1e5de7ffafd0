"""The read models in Redis: scripts make every write and every read atomic.

All keys of one read model start with `bourse:{name}:{generation}:`. The hash
`bourse:alias` names the live generation of each read model.

A batch is one MessagePack value, which the server unpacks: to send thousands of
commands from Python would cost more than to fold the facts. This needs Redis 6.2 or
later. A Redis cluster does not work, because the scripts build keys from the live
generation.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import msgspec
import redis
import redis.asyncio
from redis.exceptions import NoScriptError, RedisError

from domain.ids import LogPosition
from infra.views.lua_scripts import READ, RETIRE, SWITCH, WRITE, Script
from infra.views.redis_commands import RedisCommand, reading, writing
from projections.store import (
    Generation,
    Message,
    Place,
    Read,
    ReadResult,
    Reply,
    Request,
    Step,
    StoreDown,
    View,
    applied_message,
    available,
)

_pack = msgspec.msgpack.Encoder().encode
ALIAS = "bourse:alias"
SCAN_COUNT = 1_000
#: The only policy under which Redis refuses a write rather than evict a key.
KEEPS_ALL = "noeviction"


def _prefix(view: View, generation: Generation) -> str:
    return f"bourse:{view.name}:{generation}:"


def _registry(view: View) -> str:
    return f"bourse:{view.name}:generations"


class _Question:
    """Requests as one MessagePack value, with the decoder of their answers."""

    def __init__(self, requests: Sequence[Request]) -> None:
        parts: list[tuple[str, str, Generation, list[RedisCommand]]] = []
        #: For each request, the number of commands for each of its reads.
        self._counts: list[list[int]] = []
        for each in requests:
            commands: list[RedisCommand] = []
            counts: list[int] = []
            for read in each.reads:
                some = reading(read)
                commands += some
                counts.append(len(some))
            view = each.view
            parts.append((view.name, f"{view.layout}-", each.generation, commands))
            self._counts.append(counts)
        self.packed = _pack(parts)

    def answers(self, raw: list[list[Any]]) -> list[ReadResult | None]:
        """Decode the script's reply."""
        return [
            _answer(each, counts)
            for each, counts in zip(raw, self._counts, strict=True)
        ]


def _answer(raw: list[Any], counts: list[int]) -> ReadResult | None:
    checkpoint, generation, *replies = raw
    if checkpoint is None:
        return None
    return ReadResult(
        LogPosition(checkpoint), generation.decode(), _joined(replies, counts)
    )


def _joined(replies: list[Reply], counts: list[int]) -> list[Reply]:
    """Join the replies of each read's commands into one reply."""
    if len(replies) == len(counts) and 0 not in counts:
        return replies
    rest = iter(replies)
    return [
        [value for reply in islice(rest, count) for value in reply] for count in counts
    ]


@contextmanager
def _outages_as_store_down() -> Generator[None]:
    try:
        yield
    except RedisError as reason:
        raise StoreDown(str(reason)) from reason


@contextmanager
def _cancellation_raised() -> Generator[None]:
    """Raise a cancellation of the current task that the client has swallowed.

    The client sends through `asyncio.wait_for`. Before Python 3.12, `wait_for` loses a
    cancellation that arrives just as the awaited call finishes. The task would then
    never end.
    """
    try:
        yield
    finally:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError


class RedisMemory(msgspec.Struct, frozen=True):
    """How a Redis may use memory. `most` is 0 if nothing limits it; bytes."""

    version: str
    policy: str
    used: int
    most: int


def memory_of(url: str) -> RedisMemory:
    """Return how a Redis uses memory. Raises StoreDown."""
    with (
        _outages_as_store_down(),
        redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client,
    ):
        memory = cast(Mapping[str, Any], client.info("memory"))
        server = cast(Mapping[str, Any], client.info("server"))
    return RedisMemory(
        str(server.get("redis_version", "?")),
        str(memory.get("maxmemory_policy", KEEPS_ALL)),
        int(memory.get("used_memory", 0)),
        int(memory.get("maxmemory", 0)),
    )


def eviction_policy(url: str) -> str | None:
    """Return how a Redis may evict keys, or None if it does not answer."""
    try:
        return memory_of(url).policy
    except StoreDown:
        return None


class RedisStore:
    """The synchronous store, for hosts. Use one instance for each thread."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout
        )

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _run(self, script: Script, argument: bytes) -> Any:
        client = cast(Any, self._redis)
        with _outages_as_store_down():
            try:
                return client.execute_command("EVALSHA", script.sha, 0, argument)
            except NoScriptError:
                return client.execute_command("EVAL", script.text, 0, argument)

    def read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        question = _Question(requests)
        return question.answers(self._run(READ, question.packed))

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        parts = [
            (
                each.view.name,
                each.generation,
                "" if each.expected is None else str(each.expected),
                str(each.reached),
                each.live,
                writing(each.changes),
            )
            for each in steps
        ]
        return bool(self._run(WRITE, _pack((parts, messages))))

    def switch(self, view: View, place: Place) -> bool:
        message = applied_message(place.checkpoint, {view.name: place.generation})
        checkpoint = str(place.checkpoint)
        argument = _pack((view.name, place.generation, checkpoint, *message))
        return bool(self._run(SWITCH, argument))

    def retire(self, view: View, generation: Generation) -> None:
        self._run(RETIRE, _pack((view.name, generation)))

    def generations(self, view: View) -> list[Generation]:
        with _outages_as_store_down():
            members = cast(set[bytes], self._redis.smembers(_registry(view)))
        return sorted(member.decode() for member in members)

    def tables(self, view: View, generation: Generation) -> Iterator[str]:
        return self._names(view, generation, "hash")

    def collections(self, view: View, generation: Generation) -> Iterator[str]:
        return self._names(view, generation, "zset")

    def _names(self, view: View, generation: Generation, kind: str) -> Iterator[str]:
        prefix = _prefix(view, generation)
        for page in self._scan(prefix, kind):
            for key in page:
                yield key.decode().removeprefix(prefix)

    def keys(
        self, view: View, generation: Generation, table: str
    ) -> Iterator[list[bytes]]:
        client = cast(Any, self._redis)
        for page in self._pages(client.hscan, _prefix(view, generation) + table):
            yield list(page)

    def entries(
        self, view: View, generation: Generation, collection: str
    ) -> Iterator[list[tuple[int, bytes]]]:
        client = cast(Any, self._redis)
        for page in self._pages(client.zscan, _prefix(view, generation) + collection):
            yield [(int(score), member) for member, score in page]

    def _pages(self, scan: Callable[..., Any], key: str) -> Iterator[Any]:
        cursor = -1
        while cursor:
            with _outages_as_store_down():
                cursor, page = scan(key, max(cursor, 0), count=SCAN_COUNT)
            yield page

    def _scan(self, prefix: str, kind: str | None = None) -> Iterator[list[bytes]]:
        client = cast(Any, self._redis)
        cursor = -1
        while cursor:
            with _outages_as_store_down():
                cursor, page = client.scan(
                    max(cursor, 0), match=prefix + "*", count=SCAN_COUNT, _type=kind
                )
            yield page

    def publish(self, messages: Sequence[Message]) -> None:
        client = cast(Any, self._redis)
        with _outages_as_store_down():
            for channel, body in messages:
                client.publish(channel, body)

    def drop(self, view: View, generation: Generation) -> bool:
        with _outages_as_store_down():
            if self._redis.hget(ALIAS, view.name) == generation.encode():
                return True
            # The checkpoint goes first, so that nobody resumes a partial generation.
            prefix = _prefix(view, generation)
            self._redis.delete(prefix + "checkpoint")
        for page in self._scan(prefix):
            if page:
                with _outages_as_store_down():
                    self._redis.unlink(*page)
        with _outages_as_store_down():
            self._redis.srem(_registry(view), generation)
        return True

    def forget(self, views: Sequence[View]) -> None:
        """Remove these read models, the live generations too: they show another log."""
        with _outages_as_store_down():
            # The alias goes first, so that no reader sees a partial generation.
            self._redis.hdel(ALIAS, *(view.name for view in views))
        for view in views:
            for page in self._scan(f"bourse:{view.name}:"):
                if page:
                    with _outages_as_store_down():
                        self._redis.unlink(*page)


class RedisViews:
    """The asynchronous store, for queries on one event loop."""

    def __init__(
        self, url: str, *, timeout: float = 5.0, connections: int = 32
    ) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
        )
        self._redis = redis.asyncio.Redis(connection_pool=pool)
        self._pool = pool

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._pool.aclose()

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        (answer,) = await self.read_at_once([Request(view, reads)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        return available(requests, await self.read_many(requests))

    async def read_many(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        """Answer all requests in one atomic step.

        An answer is None if the read model has no live generation.
        """
        question = _Question(requests)
        return question.answers(await self._run(READ, question.packed))

    async def retire(self, view: View, generation: Generation) -> None:
        await self._run(RETIRE, _pack((view.name, generation)))

    async def _run(self, script: Script, argument: bytes) -> Any:
        client = cast(Any, self._redis)
        with _cancellation_raised(), _outages_as_store_down():
            try:
                return await client.execute_command("EVALSHA", script.sha, 0, argument)
            except NoScriptError:
                return await client.execute_command("EVAL", script.text, 0, argument)

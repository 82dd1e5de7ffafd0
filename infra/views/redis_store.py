"""How read models stand in Redis: scripts make every write and every read atomic.

A batch travels as one MessagePack value and is unpacked by the server: packing
thousands of commands in Python would cost more than folding the facts. Redis 6.2 or
later; no Redis cluster, because the scripts make keys from the live generation.
"""

import asyncio
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import redis
import redis.asyncio
from redis.exceptions import NoScriptError, RedisError

from infra.views.lua_scripts import READ, RETIRE, SWITCH, WRITE, Script
from projections.store import (
    ALIAS,
    Answer,
    Command,
    Generation,
    Message,
    Place,
    Reply,
    Request,
    Step,
    StoreDown,
    View,
    applied_message,
    available,
)

_pack = msgspec.msgpack.Encoder().encode
SCAN_COUNT = 1_000


def _prefix(view: View, generation: Generation) -> str:
    return f"bourse:{view.name}:{generation}:"


def _registry(view: View) -> str:
    return f"bourse:{view.name}:generations"


def _pack_requests(requests: Sequence[Request]) -> bytes:
    return _pack(
        [
            (each.view.name, f"{each.view.layout}-", each.generation, each.commands)
            for each in requests
        ]
    )


def _answer(raw: list[Any]) -> Answer | None:
    checkpoint, generation, *replies = raw
    if checkpoint is None:
        return None
    return Answer(int(checkpoint), generation.decode(), cast(list[Reply], replies))


@contextmanager
def _outages_told() -> Generator[None]:
    try:
        yield
    except RedisError as reason:
        raise StoreDown(str(reason)) from reason


@contextmanager
def _cancel_heeded() -> Generator[None]:
    """Raise the cancel of the running task that the client has swallowed.

    It sends through `asyncio.wait_for`, which before Python 3.12 loses a cancel that
    comes just as the awaited thing is done. The task would then wait for ever.
    """
    try:
        yield
    finally:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError


class RedisStore:
    """The store as the hosts use it. One instance for one thread."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout
        )

    def close(self) -> None:
        self._redis.close()

    def _run(self, script: Script, argument: bytes) -> Any:
        client = cast(Any, self._redis)
        with _outages_told():
            try:
                return client.execute_command("EVALSHA", script.sha, 0, argument)
            except NoScriptError:
                return client.execute_command("EVAL", script.text, 0, argument)

    def read(self, requests: Sequence[Request]) -> list[Answer | None]:
        raw = cast(list[list[Any]], self._run(READ, _pack_requests(requests)))
        return [_answer(each) for each in raw]

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        parts = [
            (
                each.view.name,
                each.generation,
                "" if each.expected is None else str(each.expected),
                str(each.reached),
                each.live,
                each.commands,
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
        with _outages_told():
            members = cast(set[bytes], self._redis.smembers(_registry(view)))
        return sorted(member.decode() for member in members)

    def keys(self, view: View, generation: Generation) -> Iterator[tuple[str, str]]:
        prefix = _prefix(view, generation)
        for kind in ("hash", "zset"):
            for page in self._scan(prefix, kind):
                for key in page:
                    yield key.decode().removeprefix(prefix), kind

    def members(
        self, view: View, generation: Generation, key: str, kind: str
    ) -> Iterator[list[bytes]]:
        client = cast(Any, self._redis)
        scan = client.hscan if kind == "hash" else client.zscan
        cursor = -1
        while cursor:
            with _outages_told():
                cursor, page = scan(
                    _prefix(view, generation) + key, max(cursor, 0), count=SCAN_COUNT
                )
            yield list(page) if kind == "hash" else [member for member, _ in page]

    def _scan(self, prefix: str, kind: str | None = None) -> Iterator[list[bytes]]:
        client = cast(Any, self._redis)
        cursor = -1
        while cursor:
            with _outages_told():
                cursor, page = client.scan(
                    max(cursor, 0), match=prefix + "*", count=SCAN_COUNT, _type=kind
                )
            yield page

    def drop(self, view: View, generation: Generation) -> None:
        with _outages_told():
            if self._redis.hget(ALIAS, view.name) == generation.encode():
                return
            # The checkpoint goes first: a generation in pieces must not be taken up.
            prefix = _prefix(view, generation)
            self._redis.delete(prefix + "checkpoint")
        for page in self._scan(prefix):
            if page:
                with _outages_told():
                    self._redis.unlink(*page)
        with _outages_told():
            self._redis.srem(_registry(view), generation)

    def forget(self, views: Sequence[View]) -> None:
        """Remove all of these read models, the live ones too: they show another log."""
        with _outages_told():
            # First of all, so that nobody finds what is being taken away.
            self._redis.hdel(ALIAS, *(view.name for view in views))
        for view in views:
            for page in self._scan(f"bourse:{view.name}:"):
                if page:
                    with _outages_told():
                        self._redis.unlink(*page)


class RedisViews:
    """The store as queries use it, on one event loop."""

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
        await self._redis.aclose()
        await self._pool.aclose()

    async def read(self, view: View, commands: Sequence[Command]) -> Answer:
        (answer,) = await self.read_at_once([Request(view, commands)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        return available(requests, await self.read_many(requests))

    async def read_many(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer all requests in one atomic step; None where no generation is."""
        argument = _pack_requests(requests)
        client = cast(Any, self._redis)
        with _cancel_heeded(), _outages_told():
            try:
                raw = await client.execute_command("EVALSHA", READ.sha, 0, argument)
            except NoScriptError:
                raw = await client.execute_command("EVAL", READ.text, 0, argument)
        return [_answer(each) for each in cast(list[list[Any]], raw)]

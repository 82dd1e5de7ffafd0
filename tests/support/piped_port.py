"""A `CommandPort` whose writer runs in another process, at the end of a pipe."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from commands.answers import Answer
from commands.command_port import AccountState, MarketState, StreamState, UserState
from commands.messages import Command
from domain.ids import AccountId, AssetId, Symbol, UserId
from domain.memory_window import MemoryWindow
from tests.support import pipe

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


class PipedPort:
    """Sends commands and queries through a pipe, many at once."""

    def __init__(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._out = out
        self._number = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def listen(self) -> None:
        """Hand replies to their callers until the pipe ends."""
        while True:
            frame = await pipe.receive(self._reader)
            reply = msgspec.msgpack.decode(frame, type=pipe.Reply)
            waiting = self._waiting.pop(reply.number)
            if waiting.done():
                continue
            if reply.error is not None:
                waiting.set_exception(pipe.raised(reply.error))
            else:
                waiting.set_result(reply.result)

    async def _call(self, method: str, argument: object, result: type[T]) -> T | None:
        self._number += 1
        number = self._number
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        await pipe.send(self._out, pipe.Request(number, method, pipe.encode(argument)))
        return msgspec.msgpack.decode(await future, type=result | None)

    async def execute(self, command: Command) -> Answer:
        plain = await self._call("execute", command, pipe.PlainAnswer)
        assert plain is not None
        return pipe.whole_answer(plain)

    async def market(self, name: Symbol | AssetId) -> MarketState | None:
        return await self._call("market", name, MarketState)

    async def account(self, account_id: AccountId) -> AccountState | None:
        return await self._call("account", account_id, AccountState)

    async def user(self, user_id: UserId) -> UserState | None:
        return await self._call("user", user_id, UserState)

    async def memory_window(self) -> MemoryWindow:
        window = await self._call("memory_window", None, MemoryWindow)
        assert window is not None
        return window

    async def streams(self) -> Sequence[StreamState]:
        return await self._call("streams", None, list[StreamState]) or []


@asynccontextmanager
async def piped_port(database_url: str) -> AsyncGenerator[PipedPort]:
    """Run a writer on a database in a separate process, and yield its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.piped_writer",
        database_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    port = PipedPort(process.stdout, process.stdin)
    listening = asyncio.create_task(port.listen())
    try:
        yield port
    finally:
        process.stdin.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await process.wait()

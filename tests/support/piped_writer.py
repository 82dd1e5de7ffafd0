"""A process with nothing but a writer, which answers requests from a pipe.

`python -m tests.support.piped_writer DATABASE_URL`
"""

import asyncio
import sys
from typing import Any

import msgspec

from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from infra.log.event_store import PostgresEventStore
from infra.runtime.clock import SystemClock
from tests.support import pipe


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


async def _result(writer: Writer, request: pipe.Request) -> object:
    if request.method == "execute":
        answer = await writer.execute(pipe.command_of(request.argument))
        return pipe.plain_answer(answer)
    method: Any = getattr(writer, request.method)
    if request.method in {"memory_window", "streams"}:
        return await method()
    return await method(msgspec.msgpack.decode(request.argument, type=str))


async def serve(database_url: str) -> None:
    """Lead, and answer requests until the pipe ends."""
    leading = asyncio.Event()
    with PostgresEventStore(database_url) as store:
        writer = Writer(
            store,
            clock=SystemClock(),
            on_state=lambda state: (
                leading.set() if state is WriterState.LEADER else None
            ),
        )
        running = asyncio.create_task(writer.run())
        await leading.wait()
        reader, out = await _streams()
        tasks: set[asyncio.Task[None]] = set()

        async def answer(request: pipe.Request) -> None:
            try:
                result = pipe.encode(await _result(writer, request))
                reply = pipe.Reply(request.number, None, result)
            except Exception as error:  # noqa: BLE001 - it is raised at the other end
                reply = pipe.Reply(request.number, pipe.plain_error(error), b"")
            await pipe.send(out, reply)

        try:
            while True:
                frame = await pipe.receive(reader)
                request = msgspec.msgpack.decode(frame, type=pipe.Request)
                task = asyncio.create_task(answer(request))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except asyncio.IncompleteReadError:
            await writer.stop()
            await running


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))

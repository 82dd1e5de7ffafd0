"""What the writer has in memory, as fingerprints: for whoever replays the log beside it
and wants to know whether living it gave the same state."""

import asyncio

import msgspec
from litestar import get

from api.write.door import GivenDoor
from commands.frozen import state_hash
from domain.ids import Stream


class StreamState(msgspec.Struct):
    """One aggregate: the version it has reached, and a hash of its whole state."""

    stream: Stream
    version: int
    hash: str


@get("/v2/audit/state", tags=["admin"])
async def audit_state(door: GivenDoor) -> list[StreamState]:
    """Every aggregate in the writer's memory. Each is hashed at one moment; all that is
    told is durable."""
    door.check_leading()
    exchange = door.writer.exchange
    found: list[StreamState] = []
    for stream, aggregate in list(exchange.streams.items()):
        if aggregate.version:
            found.append(StreamState(stream, aggregate.version, state_hash(aggregate)))
        # A large book takes long; orders go in between.
        await asyncio.sleep(0)
    await door.writer.settled(exchange)
    return found

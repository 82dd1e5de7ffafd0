"""The writer's memory as hashes, for an auditor who replays the log."""

from collections.abc import Sequence

from litestar import get

from api.write.door import GivenDoor
from commands.command_port import StreamState


@get("/v2/audit/state", tags=["admin"])
async def audit_state(door: GivenDoor) -> Sequence[StreamState]:
    """Every aggregate in the writer's memory, hashed one after another. All of it is
    durable."""
    return await door.port.streams()

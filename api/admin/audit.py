"""Hashes of the writer's state, for an auditor who replays the log."""

from collections.abc import Sequence

from litestar import get

from api.write.door import DoorDependency
from commands.command_port import StreamState


@get("/v2/audit/state", tags=["admin"])
async def audit_state(door: DoorDependency) -> Sequence[StreamState]:
    """Return the version and the hash of every aggregate in the writer's memory. The
    whole state is durable."""
    return await door.port.streams()

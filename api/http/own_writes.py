"""Each user's newest position: the user's own queries show it without being asked to.

A program that sends an order and then asks for it knows nothing of log positions, and
expects to find the order. Only this process remembers; a client that reads from another
server names the position.
"""

from domain.ids import LogPosition, UserId

#: Users that are remembered at once. The one answered longest ago is forgotten first.
REMEMBERED_MAX = 100_000


class OwnWrites:
    """The log position of the newest answer to a command, by user."""

    def __init__(self) -> None:
        self._positions: dict[UserId, LogPosition] = {}

    def note(self, user_id: UserId, position: LogPosition) -> None:
        """Remember the position of a command's answer."""
        positions = self._positions
        # Removed first, so that it stands behind all others again.
        before = positions.pop(user_id, 0)
        positions[user_id] = max(before, position)
        if len(positions) > REMEMBERED_MAX:
            del positions[next(iter(positions))]

    def of(self, user_id: UserId) -> LogPosition:
        """Return a user's newest position; 0 if no command was answered yet."""
        return self._positions.get(user_id, 0)

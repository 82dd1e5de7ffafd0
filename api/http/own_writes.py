"""What each user was last told of: their own queries show that without being asked to.

A program that sends an order and then asks for it knows nothing of log positions, and
expects to find it. What is kept is of this process alone; whoever asks another server
names the position.
"""

from domain.ids import LogPosition, UserId

#: Users that are remembered at once. Whoever was told longest ago is forgotten.
REMEMBERED_MAX = 100_000


class Acknowledged:
    """The log position of the newest answer to a command, by user."""

    def __init__(self) -> None:
        self._positions: dict[UserId, LogPosition] = {}

    def note(self, user_id: UserId, position: LogPosition) -> None:
        positions = self._positions
        # Taken out first, so that it stands behind all others again.
        before = positions.pop(user_id, 0)
        positions[user_id] = max(before, position)
        if len(positions) > REMEMBERED_MAX:
            del positions[next(iter(positions))]

    def of(self, user_id: UserId) -> LogPosition:
        """0 for whoever was told nothing yet."""
        return self._positions.get(user_id, 0)

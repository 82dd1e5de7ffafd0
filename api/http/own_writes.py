"""The log position of each user's latest command: the user's queries wait for it.

A client that sends an order and then reads it expects to find the order, without
knowing about log positions. The positions live in this process only; a client that
reads from another server passes `after`.
"""

from domain.ids import LOG_START, LogPosition, UserId

#: Keep at most this many users; drop the one with the oldest answer first.
REMEMBERED_MAX = 100_000


class OwnWrites:
    """The log position of the latest answer to a command, by user."""

    def __init__(self) -> None:
        self._positions: dict[UserId, LogPosition] = {}

    def note(self, user_id: UserId, position: LogPosition) -> None:
        """Remember the position of a command's answer."""
        positions = self._positions
        # Removed first: a dict keeps the place of a key that it replaces.
        before = positions.pop(user_id, LOG_START)
        positions[user_id] = max(before, position)
        if len(positions) > REMEMBERED_MAX:
            del positions[next(iter(positions))]

    def of(self, user_id: UserId) -> LogPosition:
        """Return a user's latest log position; 0 if there is none yet."""
        return self._positions.get(user_id, LOG_START)

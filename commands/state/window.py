"""The window of the writer's memory: what it remembers of the past, in order.

The writer remembers finished orders and keys for a window (rule MEMORY-02). Counts and
the times of facts decide what leaves the window, never a clock. A replay therefore
forgets the same items after the same facts.
"""

from collections import OrderedDict, defaultdict, deque
from typing import Generic, Protocol, TypeVar

from domain.events.event import Timestamp
from domain.key_log import KeyLog

#: Items that leave or are spared for each item that enters, at most. More than one, so
#: that a window that shrinks is right again soon; few, so that no command waits for it.
MOVES_MAX = 16


class Remembered(Protocol):
    """An item of a window: an order or the use of a key."""

    @property
    def owner(self) -> str:
        """Return the account or the actor to whom the item belongs."""
        ...

    at: Timestamp


T = TypeVar("T", bound=Remembered)


class Window(Generic[T]):
    """Items in the order in which they entered, and the rule by which they leave.

    An item leaves when it is older than `age_max` or not among the newest `count_max`.
    The newest `own_count_max` items of an owner leave only by age: they are spared.
    `KeyLog.window` has the three limits. The items' times never decrease.
    """

    __slots__ = ("_counts", "_keys", "_numbers", "_spared_of", "recent", "spared")

    def __init__(self, keys: KeyLog) -> None:
        self._keys = keys
        #: The newest items of all owners, oldest first.
        self.recent: deque[T] = deque()
        #: Older items that leave only by age, oldest first, by ascending numbers.
        self.spared: OrderedDict[int, T] = OrderedDict()
        #: The numbers of each owner's spared items, oldest first.
        self._spared_of: dict[str, deque[int]] = {}
        self._numbers = 0
        #: How many items of each owner are in the window.
        self._counts: defaultdict[str, int] = defaultdict(int)

    def contents(self) -> tuple[list[T], list[T]]:
        """Return the recent and the spared items, each oldest first."""
        return list(self.recent), list(self.spared.values())

    def add(self, item: T, owner: str) -> list[T] | None:
        """Add an item. Return the items that leave, or None if none leaves."""
        recent = self.recent
        # A clock that was set back must not make an older item outlive a newer one.
        if recent and recent[-1].at > item.at:
            item.at = recent[-1].at
        recent.append(item)
        self._counts[owner] += 1
        limits = self._keys.window
        oldest = item.at - limits.age_max
        if len(recent) > limits.count_max or recent[0].at < oldest or self.spared:
            return self._leave(owner, oldest)
        return None

    def restore(self, item: T, *, spared: bool) -> None:
        """Add an item of a snapshot: each kind oldest first."""
        owner = item.owner
        self._counts[owner] += 1
        if spared:
            self._spare(item, owner)
        else:
            self.recent.append(item)

    def _leave(self, owner: str, oldest: Timestamp) -> list[T]:
        """Return the items that leave; `owner` has one more item than before."""
        limits, recent, counts = self._keys.window, self.recent, self._counts
        leaving: list[T] = []
        for _ in range(MOVES_MAX):
            if owner in self._spared_of and counts[owner] > limits.own_max:
                # The owner's oldest spared item is not among its newest any more.
                leaving.append(self.spared.pop(self._oldest_of(owner)))
                self._count_down(owner)
            elif recent[0].at < oldest or len(recent) > limits.count_max:
                item = recent.popleft()
                # The next round looks at this owner's spared items.
                owner = item.owner
                if item.at >= oldest and (
                    owner in self._spared_of or counts[owner] <= limits.own_max
                ):
                    self._spare(item, owner)
                else:
                    leaving.append(item)
                    self._count_down(owner)
            elif self.spared and self._oldest_spared().at < oldest:
                owner = self._oldest_spared().owner
                leaving.append(self.spared.pop(self._oldest_of(owner)))
                self._count_down(owner)
            else:
                break
        return leaving

    def _spare(self, item: T, owner: str) -> None:
        self._numbers += 1
        self.spared[self._numbers] = item
        self._spared_of.setdefault(owner, deque()).append(self._numbers)

    def _oldest_spared(self) -> T:
        return next(iter(self.spared.values()))

    def _oldest_of(self, owner: str) -> int:
        """Take the number of the owner's oldest spared item."""
        numbers = self._spared_of[owner]
        number = numbers.popleft()
        if not numbers:
            del self._spared_of[owner]
        return number

    def _count_down(self, owner: str) -> None:
        self._counts[owner] -= 1
        if not self._counts[owner]:
            del self._counts[owner]

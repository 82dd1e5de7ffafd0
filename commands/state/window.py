"""The window of the writer's memory: what it remembers of the past, in order.

The writer remembers finished orders and keys for a window (rule MEMORY-02). Counts and
the times of facts decide what leaves the window, never a clock. A replay therefore
forgets the same items after the same facts.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from domain.events.event import Timestamp
from domain.key_log import KeyLog

#: Items that leave for each item that enters, at most. More than one, so that a window
#: that shrinks is right again soon; few, so that no command takes long for it.
LEAVING_MAX = 16


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

    __slots__ = ("_counts", "_keys", "_marks", "recent", "spared")

    def __init__(self, keys: KeyLog) -> None:
        self._keys = keys
        #: The newest items of all owners, oldest first.
        self.recent: deque[T] = deque()
        #: By owner, older items that leave only by age, oldest first.
        self.spared: dict[str, deque[T]] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        #: A heap with one mark for each owner in `spared`: when to look at the oldest.
        self._marks: list[tuple[Timestamp, str]] = []

    def spared_items(self) -> Iterator[T]:
        """Yield the spared items, owner by owner, in one order for equal windows."""
        for owner in sorted(self.spared):
            yield from self.spared[owner]

    def contents(self) -> tuple[list[T], dict[str, list[T]]]:
        """Return the recent items, and the spared ones by owner."""
        spared = {owner: list(queue) for owner, queue in self.spared.items() if queue}
        return list(self.recent), spared

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
        """Add an item of a snapshot: each kind oldest first, the spared items first."""
        self._counts[item.owner] += 1
        if spared:
            self._spare(item, item.owner)
        else:
            self.recent.append(item)

    def _leave(self, owner: str, oldest: Timestamp) -> list[T]:
        """Return the items that leave; `owner` has one more item than before."""
        leaving: list[T] = []
        self._trim(owner, leaving)
        limits, recent = self._keys.window, self.recent
        while len(leaving) < LEAVING_MAX:
            item = recent[0]
            if item.at < oldest:
                self._remove(recent.popleft(), leaving)
            elif len(recent) > limits.count_max:
                self._age(recent.popleft(), leaving)
            else:
                break
        self._expire(oldest, leaving)
        return leaving

    def _age(self, item: T, leaving: list[T]) -> None:
        """Spare an item that is too old by number, or let it leave."""
        owner = item.owner
        if owner in self.spared or self._counts[owner] <= self._keys.window.own_max:
            self._spare(item, owner)
            self._trim(owner, leaving)
        else:
            self._remove(item, leaving)

    def _spare(self, item: T, owner: str) -> None:
        queue = self.spared.get(owner)
        if queue is None:
            queue = self.spared[owner] = deque()
            heapq.heappush(self._marks, (item.at, owner))
        queue.append(item)

    def _trim(self, owner: str, leaving: list[T]) -> None:
        """Let spared items leave that are not among the owner's newest any more."""
        queue = self.spared.get(owner)
        while (
            queue
            and self._counts[owner] > self._keys.window.own_max
            and len(leaving) < LEAVING_MAX
        ):
            self._remove(queue.popleft(), leaving)

    def _expire(self, oldest: Timestamp, leaving: list[T]) -> None:
        """Let spared items leave that are too old by time, the oldest first."""
        marks = self._marks
        while marks and marks[0][0] < oldest and len(leaving) < LEAVING_MAX:
            at, owner = marks[0]
            queue = self.spared[owner]
            # A mark is early if items left since it was set: then only correct it, so
            # that a state from a snapshot, whose marks are right, acts in this order.
            if queue and queue[0].at == at:
                self._remove(queue.popleft(), leaving)
            if queue:
                heapq.heapreplace(marks, (queue[0].at, owner))
            else:
                heapq.heappop(marks)
                del self.spared[owner]

    def _remove(self, item: T, leaving: list[T]) -> None:
        owner = item.owner
        self._counts[owner] -= 1
        if not self._counts[owner]:
            del self._counts[owner]
        leaving.append(item)

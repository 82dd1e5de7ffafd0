"""The host: applies each fact once, to all views in one atomic write."""

from collections.abc import Iterable, Sequence

from commands.ports import Segment
from domain.events.register import Fact
from domain.ids import LOG_START, LogPosition
from processors.follower import Overtaken, beyond
from projections.projection import Projection
from projections.readable import UNREADABLE
from projections.store import (
    BatchStore,
    Change,
    Generation,
    Message,
    Place,
    PutRows,
    ReadResult,
    Request,
    Step,
    Store,
    View,
    applied_message,
)

#: A row in every generation: the command id of the fact at the checkpoint. It
#: distinguishes views of this log from those of another, such as a restored backup.
MARK, COMMAND = "mark", "command"


class Damaged(Overtaken):
    """A live generation has rows that its projection cannot read."""

    def __init__(self, view: View, generation: Generation, reason: Exception) -> None:
        super().__init__(f"the view {view.name} has rows that cannot be read")
        self.view = view
        self.generation = generation
        self.reason = reason


class Followed:
    """One projection, the generation that it fills, and its checkpoint."""

    __slots__ = ("checkpoint", "generation", "live", "projection")

    def __init__(
        self, projection: Projection, place: Place, *, live: bool, empty: bool = False
    ) -> None:
        self.projection = projection
        self.generation = place.generation
        self.checkpoint = place.checkpoint
        self.live = live
        projection.start(empty=empty)

    @property
    def view(self) -> View:
        """The view of the projection."""
        return self.projection.view

    @property
    def place(self) -> Place:
        """The generation and its checkpoint."""
        return Place(self.generation, self.checkpoint)

    def request(self, facts: Sequence[Fact]) -> Request:
        """Return the reads that the projection needs before it folds these facts."""
        wanted = self.projection.wanted(facts)
        return Request(self.view, wanted, self.generation)

    def step(self, reached: LogPosition, changes: Sequence[Change]) -> Step:
        """Return the write from the checkpoint to the log position `reached`."""
        return Step(
            self.view, self.generation, self.checkpoint, reached, self.live, changes
        )


def begin(
    store: Store, types: Iterable[type[Projection]], generation_id: str
) -> list[Followed]:
    """Begin new, empty generations at log position 0, alongside the live ones.

    So the views of an empty log exist too: they are empty and have a checkpoint.
    """
    begun = [
        Followed(
            each(),
            Place(f"{each.view.layout}-{generation_id}", LOG_START),
            live=False,
            empty=True,
        )
        for each in types
    ]
    steps = [
        Step(each.view, each.generation, None, LOG_START, False, ()) for each in begun
    ]
    if not store.write(steps, ()):
        raise Overtaken(f"the generation {generation_id} is there already")
    return begun


class Host:
    """Applies facts to generations of read models, all in one atomic write.

    The host caches decoded rows between batches. This is safe because the store refuses
    a write unless every checkpoint is as this host left it. After `Overtaken` or
    `StoreDown` the caches are invalid: replace the host.
    """

    def __init__(self, store: BatchStore, followed: Sequence[Followed]) -> None:
        self._store = store
        self.followed = list(followed)

    @property
    def position(self) -> LogPosition:
        """The log position that every view has reached."""
        return min((each.checkpoint for each in self.followed), default=LOG_START)

    def apply(self, segment: Segment) -> None:
        """Fold the facts beyond each view's checkpoint and store the outcome.

        A view skips the facts that it has applied already.

        Raises:
            FactsMissed: the segment does not continue from a view's checkpoint.
            Damaged: a live view has rows that cannot be read; retire it.
            Overtaken, StoreDown: the caches are invalid; make a new host.
        """
        reached = segment.reached
        due = [
            (each, beyond(segment, each.checkpoint))
            for each in self.followed
            if each.checkpoint < reached
        ]
        if not due:
            return
        loaded = self._read(due)
        for each, news in due:
            try:
                if each in loaded:
                    each.projection.load(loaded[each].replies)
                each.projection.fold(news)
            except UNREADABLE as reason:
                # A generation that is being filled came from the log alone, so this
                # is a defect of the projection.
                if not each.live:
                    raise
                raise Damaged(each.view, each.generation, reason) from reason
        mark = PutRows(MARK, {COMMAND: segment.facts[-1].event.meta.command_id})
        steps: list[Step] = []
        messages: list[Message] = []
        for each, _ in due:
            changes = [mark, *each.projection.changes()]
            steps.append(each.step(reached, changes))
            if each.live:
                messages += each.projection.messages()
        live = {each.view.name: each.generation for each, _ in due if each.live}
        if live:
            messages.append(applied_message(reached, live))
        if not self._store.write(steps, messages):
            raise Overtaken("the read models are not as they were left")
        for each, _ in due:
            each.checkpoint = reached

    def _read(
        self, due: Sequence[tuple[Followed, Sequence[Fact]]]
    ) -> dict[Followed, ReadResult]:
        """Return the rows that the facts need, for each view that needs any."""
        requests = [(each, each.request(news)) for each, news in due]
        asked = [(each, request) for each, request in requests if request.reads]
        if not asked:
            return {}
        loaded: dict[Followed, ReadResult] = {}
        answers = self._store.read([request for _, request in asked])
        for (each, _), answer in zip(asked, answers, strict=True):
            if answer is None or answer.checkpoint != each.checkpoint:
                raise Overtaken(f"the view {each.view.name} is not as it was left")
            loaded[each] = answer
        return loaded

"""All that observes one server, made from its settings."""

from collections.abc import Callable

from commands.ports import EventStore
from commands.writer.writer import Writer
from infra.observe.access_log import access_log
from infra.observe.commits import Commits, ObservedEventStore
from infra.observe.metrics import Metrics
from infra.observe.requests import Requests
from infra.observe.state_watch import AskLook, StateWatch
from infra.runtime.line_writer import LineWriter
from infra.runtime.settings import Settings


class Instruments:
    """The counters, the access log and the watch of one server.

    `lines` writes the log of the process; without it there is no access log.
    """

    def __init__(
        self,
        settings: Settings,
        lines: LineWriter | None,
        *,
        now: Callable[[], int],
        look: AskLook,
    ) -> None:
        self.commits = Commits()
        self.requests = Requests(access_log(settings, lines, now))
        self.watch = StateWatch(look, commits=self.commits, full=self.requests.full)
        self._lines = lines

    def observed(self, store: EventStore) -> EventStore:
        """Return the store with its appends counted."""
        return ObservedEventStore(store, self.commits)

    def metrics(self, writer: Writer) -> Metrics:
        """Return the metrics of the server with this writer."""
        return Metrics(
            writer,
            requests=self.requests,
            commits=self.commits,
            watch=self.watch,
            lines_dropped=self._lines_dropped,
        )

    def _lines_dropped(self) -> int:
        return 0 if self._lines is None else self._lines.dropped

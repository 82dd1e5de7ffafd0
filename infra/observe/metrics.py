"""The page at `/metrics`: the state of this server for Prometheus.

Nothing on a hot path knows this library: requests and commits count in plain integers,
and a scrape reads them. A scrape asks neither Postgres nor Redis. It shows what the
`StateWatch` saw last, so it answers while both are away.
"""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.events import market
from domain.events.register import AnyEvent, tag_of
from infra.observe.commits import Commits
from infra.observe.requests import Requests
from infra.observe.state_watch import POSTGRES, REDIS, StateWatch

#: A page is as old as this at most. Many readers cost no more than one.
PAGE_SECONDS = 1.0
#: What became of orders, by the fact that says so. Refused orders have no fact.
OUTCOMES: dict[str, type[AnyEvent]] = {
    "accepted": market.OrderAccepted,
    "rejected": market.OrderRejected,
    "replaced": market.OrderReplaced,
    "canceled": market.OrderCanceled,
    "expired": market.OrderExpired,
}


class Restarting(Protocol):
    """A child process that is started again when it ends."""

    @property
    def restarts(self) -> int: ...


class Metrics:
    """Collects the metrics of one server, and keeps the newest page."""

    def __init__(
        self,
        writer: Writer,
        *,
        requests: Requests,
        commits: Commits,
        watch: StateWatch,
        lines_dropped: Callable[[], int],
    ) -> None:
        self.children: dict[str, Restarting] = {}
        self._writer = writer
        self._requests = requests
        self._commits = commits
        self._watch = watch
        self._lines_dropped = lines_dropped
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self._page = b""
        self._made_at = float("-inf")
        self._turn = asyncio.Lock()

    async def page(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        async with self._turn:
            if monotonic() - self._made_at >= PAGE_SECONDS:
                # In a thread: a page takes milliseconds, and orders come first.
                self._page = await asyncio.to_thread(generate_latest, self._registry)
                self._made_at = monotonic()
            return self._page

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. Runs in a thread, so it copies what requests change."""
        yield from self._of_requests()
        yield from self._of_orders()
        yield from self._of_commits()
        yield from self._of_memory()
        yield from self._of_stores()
        yield from self._of_processes()

    def _of_requests(self) -> Iterator[Metric]:
        durations = HistogramMetricFamily(
            "bourse_http_request_duration_seconds",
            "Time from the head of a request to the end of its response.",
            labels=["route", "method", "status"],
        )
        for (route, method, digit), each in self._requests.durations.copy().items():
            labels = [route, method, f"{digit}xx"]
            durations.add_metric(labels, each.cumulative(), each.total)
        yield durations
        yield _counter(
            "bourse_refusals",
            "Refused requests, and refused orders of batches, by reason.",
            "reason",
            dict(self._requests.refusals.copy()),
        )

    def _of_orders(self) -> Iterator[Metric]:
        facts = self._commits.facts.copy()
        outcomes = {name: facts[kind] for name, kind in OUTCOMES.items()}
        outcomes["refused"] = self._requests.orders_refused
        yield _counter(
            "bourse_orders",
            "Orders by outcome. Only this leader counts facts.",
            "outcome",
            outcomes,
        )
        yield CounterMetricFamily(
            "bourse_trades", "Executed trades.", facts[market.TradeExecuted]
        )
        yield _counter(
            "bourse_facts",
            "Committed facts by tag.",
            "tag",
            {tag_of(kind): count for kind, count in facts.items()},
        )

    def _of_commits(self) -> Iterator[Metric]:
        commits, writer = self._commits, self._writer
        yield HistogramMetricFamily(
            "bourse_commit_duration_seconds",
            "Time of one commit: encoding, and one transaction of Postgres.",
            commits.durations.cumulative(),
            commits.durations.total,
        )
        yield HistogramMetricFamily(
            "bourse_commit_batch_facts",
            "Facts in one commit.",
            commits.sizes.cumulative(),
            commits.sizes.total,
        )
        yield CounterMetricFamily(
            "bourse_commits_in_doubt",
            "Commits that got no answer from Postgres.",
            commits.in_doubt,
        )
        yield GaugeMetricFamily(
            "bourse_queue_depth", "Commands that wait for a commit.", writer.waiting
        )
        yield GaugeMetricFamily(
            "bourse_queue_limit",
            "Commands that may wait; the server refuses further ones.",
            writer.queue_limit,
        )

    def _of_memory(self) -> Iterator[Metric]:
        exchange = self._writer.exchange
        yield GaugeMetricFamily(
            "bourse_open_orders",
            "Open orders in the memory of the writer.",
            sum(len(each.book.orders) for each in list(exchange.markets.values())),
        )
        yield GaugeMetricFamily(
            "bourse_remembered_keys",
            "Idempotency keys and references in the memory of the writer.",
            len(exchange.register.uses),
        )

    def _of_stores(self) -> Iterator[Metric]:
        watch = self._watch
        head, positions = watch.newest.head, watch.newest.positions
        yield _gauge(
            "bourse_role",
            "1 for the role of this server, 0 for the others.",
            "role",
            {str(each): int(each is watch.role) for each in WriterState},
        )
        yield CounterMetricFamily(
            "bourse_leads", "How often this server acquired the lead.", watch.leads
        )
        yield _gauge(
            "bourse_store_up",
            "Whether Postgres and Redis answer.",
            "store",
            {POSTGRES: int(head is not None), REDIS: int(positions is not None)},
        )
        yield _counter(
            "bourse_reconnects",
            "How often a store answered again after an outage.",
            "store",
            dict(watch.reconnects),
        )
        if head is not None:
            yield GaugeMetricFamily("bourse_log_position", "The head of the log.", head)
        known = positions or {}
        yield _gauge(
            "bourse_view_up",
            "Whether a read model can be read; 0 while it is being filled.",
            "view",
            {name: int(each is not None) for name, each in known.items()},
        )
        yield _gauge(
            "bourse_view_lag_positions",
            "Log positions that a read model is behind the log.",
            "view",
            {
                name: max(0, head - position)
                for name, position in known.items()
                if head is not None and position is not None
            },
        )

    def _of_processes(self) -> Iterator[Metric]:
        yield _counter(
            "bourse_child_restarts",
            "How often a child process ended by itself and was started again.",
            "child",
            {name: each.restarts for name, each in self.children.items()},
        )
        yield CounterMetricFamily(
            "bourse_log_lines_dropped",
            "Lines of the log that nobody read in time.",
            self._lines_dropped(),
        )


def _counter(
    name: str, sentence: str, label: str, values: dict[str, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, sentence, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _gauge(
    name: str, sentence: str, label: str, values: dict[str, int]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, sentence, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family

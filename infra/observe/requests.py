"""Counts what the server answered, and hands each request to the access log.

The labels are bounded: routes that exist, methods that they have, classes of status,
reasons that our errors have. Whatever else a client sends counts as `unknown`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import cast

from api.http.auth import Caller
from api.http.request_context import CORRELATION, REFUSALS
from domain.errors import Busy
from infra.observe.access_log import AccessLog, Served
from infra.observe.histogram import Histogram

UNKNOWN = "unknown"
PLACE, PLACE_BATCH = "/v2/orders", "/v2/orders:batch"
#: The status of a batch, whose orders are accepted or refused one by one.
MANY = 207
#: The queues that may be full: commands wait for the writer, passwords for a thread.
COMMANDS, PASSWORDS = "commands", "passwords"


class Requests:
    """The requests of one server. `observe` is an `Observe` of the API."""

    def __init__(self, access_log: AccessLog | None = None) -> None:
        #: By route, method and first digit of the status.
        self.durations: dict[tuple[str, str, int], Histogram] = {}
        self.refusals: Counter[str] = Counter()
        self.orders_refused = 0
        #: How often each queue was full.
        self.full: Counter[str] = Counter()
        self._access_log = access_log

    def observe(
        self,
        scope: Mapping[str, object],
        template: str | None,
        method: str,
        status: int,
        seconds: float,
    ) -> None:
        """Count a request and log it."""
        log_method = method
        if template is None:
            # A client may make up methods, too.
            template = method = UNKNOWN
        key = (template, method, status // 100)
        durations = self.durations.get(key)
        if durations is None:
            durations = self.durations[key] = Histogram()
        durations.observe(seconds)
        reasons = cast(Sequence[str], scope.get(REFUSALS, ()))
        if reasons:
            self._refused(template, method, status, reasons)
        if self._access_log is not None:
            caller = cast(Caller | None, scope.get("user"))
            served: Served = (
                perf_counter(),
                log_method,
                cast(str, scope["path"]),
                status,
                seconds,
                cast(str | None, scope.get(CORRELATION)),
                None if caller is None else caller.user_id,
                None if caller is None else caller.account_id,
                reasons,
            )
            self._access_log.add(served)

    def hand_over(self) -> None:
        """Hand over the last lines of the access log, when the server ends."""
        if self._access_log is not None:
            self._access_log.hand_over()

    def _refused(
        self, template: str, method: str, status: int, reasons: Sequence[str]
    ) -> None:
        self.refusals.update(reasons)
        is_order = template == PLACE and method == "POST"
        if is_order or (template == PLACE_BATCH and status == MANY):
            self.orders_refused += len(reasons)
        if Busy.code in reasons:
            is_login = template.startswith("/auth/")
            self.full[PASSWORDS if is_login else COMMANDS] += 1

"""The register of aggregates: which class a stream belongs to.

To add an aggregate, write its module and one line here. Replay, snapshots, state hashes
and the audit of the live state read this register.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.accounts.user import EmailClaim, SecurityLog, User
from domain.accounts.wallet import Wallet
from domain.aggregate import Aggregate, Outbox
from domain.clock_log import ClockLog
from domain.ids import Stream
from domain.key_log import KeyLog
from domain.market.market import Market

#: Classes by stream prefix. Each constructor takes the text after the hyphen.
AGGREGATES: dict[str, type[Aggregate]] = {
    "market": Market,
    "wallet": Wallet,
    "user": User,
    "email": EmailClaim,
    "security": SecurityLog,
    "keys": KeyLog,
    "clock": ClockLog,
}
_CONSTRUCTORS: Mapping[str, Callable[[Any, Outbox], Aggregate]] = AGGREGATES


def empty_aggregate(stream: Stream, outbox: Outbox) -> Aggregate:
    """Return a new aggregate for a stream, before its first fact."""
    kind, _, name = stream.partition("-")
    return _CONSTRUCTORS[kind](name, outbox)

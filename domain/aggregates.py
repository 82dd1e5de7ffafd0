"""The register of aggregates: which class a stream belongs to.

To add an aggregate, write its module and one line here. Replay, snapshots, state hashes
and the audit of the live state read this register.
"""

from domain.accounts.user import EmailClaim, SecurityLog, User
from domain.accounts.wallet import Wallet
from domain.aggregate import Aggregate, Outbox
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
}


def empty_aggregate(stream: Stream, outbox: Outbox) -> Aggregate:
    """Return a new aggregate for a stream, before its first fact."""
    kind, _, name = stream.partition("-")
    return AGGREGATES[kind](name, outbox)

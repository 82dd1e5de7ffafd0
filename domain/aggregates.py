"""The register of aggregates: which class a stream belongs to.

A new aggregate is a module of its own and one line here. Replaying, snapshots, hashes
and the audit of the live state find it by this register.
"""

from domain.accounts.user import EmailClaim, SecurityLog, User
from domain.accounts.wallet import Wallet
from domain.aggregate import Aggregate, Outbox
from domain.ids import Stream
from domain.key_log import KeyLog
from domain.market.market import Market

#: By what a stream's name begins with. Each class takes what follows the hyphen.
AGGREGATES: dict[str, type[Aggregate]] = {
    "market": Market,
    "wallet": Wallet,
    "user": User,
    "email": EmailClaim,
    "security": SecurityLog,
    "keys": KeyLog,
}


def empty_aggregate(stream: Stream, outbox: Outbox) -> Aggregate:
    """Make the aggregate that a stream belongs to, as before its first fact."""
    kind, _, name = stream.partition("-")
    return AGGREGATES[kind](name, outbox)

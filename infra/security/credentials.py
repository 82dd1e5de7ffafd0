"""The table `credentials`, from which any server checks logins."""

from commands.companions import SignIn
from domain.ids import AccountId, LogPosition, UserId
from domain.vocabulary import Role
from infra.log.connection import Datastore

_COLUMNS = "claim, user_id, account_id, password_hash, roles"
# One statement sees one moment, and one row comes even without credentials.
_ALL = f"""
    SELECT head, {_COLUMNS}
    FROM (SELECT coalesce(max(notification_id), 0) AS head FROM events) AS log
    LEFT JOIN credentials ON true
"""


class PostgresCredentials:
    """A `Credentials`. Its methods raise LogUnavailable."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def all(self) -> tuple[LogPosition, list[SignIn]]:
        """Return all credentials, and the head of the log at the same moment."""
        with self._datastore.rows() as cursor:
            rows = cursor.execute(_ALL).fetchall()
        position = LogPosition(rows[0][0])
        return position, [_sign_in(*row[1:]) for row in rows if row[1] is not None]

    def of(self, claim: str) -> SignIn | None:
        with self._datastore.rows() as cursor:
            row = cursor.execute(
                f"SELECT {_COLUMNS} FROM credentials WHERE claim = %s", (claim,)
            ).fetchone()
        if row is None:
            return None
        return _sign_in(*row)


def _sign_in(
    claim: str,
    user_id: UserId,
    account_id: AccountId,
    password_hash: str,
    names: list[str],
) -> SignIn:
    roles = tuple(role for role in Role if role in names)
    return SignIn(claim, user_id, account_id, password_hash, roles)

"""The table `credentials`, from which any server checks logins."""

from commands.companions import SignIn
from domain.vocabulary import Role
from infra.log.connection import Datastore


class PostgresCredentials:
    """A `Credentials`. Its methods raise LogUnavailable."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def of(self, claim: str) -> SignIn | None:
        with self._datastore.rows() as cursor:
            row = cursor.execute(
                "SELECT user_id, account_id, password_hash, roles FROM credentials "
                "WHERE claim = %s",
                (claim,),
            ).fetchone()
        if row is None:
            return None
        user_id, account_id, password_hash, names = row
        roles = tuple(role for role in Role if role in names)
        return SignIn(claim, user_id, account_id, password_hash, roles)

"""The secret of an installation, and the keys that derive from it.

All servers of one database must use the same secret. Otherwise two users could register
one e-mail address, and a server could not open what another sealed. So the database
holds the secret's fingerprint, and a server with another secret does not start.

If BOURSE_SECRET_KEY is not set, the first start generates a secret and stores it in the
database. That is for development only: a copy of such a database opens all its sealed
data.
"""

import secrets
from typing import LiteralString

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.log.connection import Datastore

_SECRET: LiteralString = "secret"
_FINGERPRINT: LiteralString = "secret-fingerprint"
_KEEP: LiteralString = "INSERT INTO installation VALUES (%s, %s) ON CONFLICT DO NOTHING"
_GET: LiteralString = "SELECT value FROM installation WHERE name = %s"


class WrongSecret(Exception):
    """Another secret sealed the personal data of this database."""

    code = "wrong-secret"

    def __init__(self, *, is_set: bool) -> None:
        advice = (
            "BOURSE_SECRET_KEY is not the secret of this database; set the right one"
            if is_set
            else "this database needs its BOURSE_SECRET_KEY; set it again"
        )
        super().__init__(advice)


class InstallationKeys:
    """Keys for one purpose each. No key reveals another one, or the secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes, the same in every server of the installation."""
        info = f"bourse/{purpose}".encode()
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self._secret)

    def token_key(self) -> bytes:
        """Return the key that signs access tokens."""
        return self.derive("access-tokens")


def installation_keys(datastore: Datastore, secret: str | None) -> InstallationKeys:
    """Return the keys of a database, from `secret` or from its stored secret.

    Raises:
        WrongSecret: the database has another secret.
        LogUnavailable: the database does not answer.
    """
    keys = InstallationKeys(secret or _own_secret(datastore))
    fingerprint = keys.derive("fingerprint").hex()
    if _store_once(datastore, _FINGERPRINT, fingerprint) != fingerprint:
        raise WrongSecret(is_set=secret is not None)
    return keys


def _own_secret(datastore: Datastore) -> str:
    secret = _value(datastore, _SECRET)
    if secret is None and _value(datastore, _FINGERPRINT) is not None:
        raise WrongSecret(is_set=False)
    return secret or _store_once(datastore, _SECRET, secrets.token_hex(32))


def _store_once(datastore: Datastore, name: str, value: str) -> str:
    """Store a value unless its name has one, and return the stored value."""
    with datastore.rows() as cursor:
        cursor.execute(_KEEP, (name, value))
    return _value(datastore, name) or value


def _value(datastore: Datastore, name: str) -> str | None:
    with datastore.rows() as cursor:
        row = cursor.execute(_GET, (name,)).fetchone()
    return None if row is None else str(row[0])

"""The one secret of an installation, and the keys that are derived from it.

All servers of one database must agree on it, or an e-mail address could be taken twice
and nobody could read what another sealed. So its fingerprint stands in the database,
and a server that brings another secret does not start.

Where BOURSE_SECRET_KEY is not set, a secret is made once and kept in the database. That
is for development only: whoever has a copy of such a database can open all that is
sealed in it.
"""

import secrets
from typing import LiteralString

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.log.connection import Datastore

_MADE: LiteralString = "secret"
_FINGERPRINT: LiteralString = "secret-fingerprint"
_KEEP: LiteralString = "INSERT INTO installation VALUES (%s, %s) ON CONFLICT DO NOTHING"
_GET: LiteralString = "SELECT value FROM installation WHERE name = %s"


class WrongSecret(Exception):
    """This database's personal data is sealed under another secret."""

    code = "wrong-secret"

    def __init__(self, *, is_set: bool) -> None:
        advice = (
            "BOURSE_SECRET_KEY is not the one that this database was set up with"
            if is_set
            else "this database was set up with a BOURSE_SECRET_KEY; set it again"
        )
        super().__init__(advice)


class InstallationKeys:
    """Keys for one purpose each. None tells anything of another, or of the secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def derive(self, purpose: str) -> bytes:
        """32 bytes, the same in every server of the installation."""
        info = f"bourse/{purpose}".encode()
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self._secret)

    def token_key(self) -> bytes:
        """The key that signs access tokens."""
        return self.derive("access-tokens")


def installation_keys(datastore: Datastore, secret: str | None) -> InstallationKeys:
    """The keys of this database's installation, under a given secret or its own.

    Raises:
        WrongSecret: the database was set up under another one.
        LogUnavailable: the database cannot be reached.
    """
    keys = InstallationKeys(secret or _own_secret(datastore))
    fingerprint = keys.derive("fingerprint").hex()
    if _kept(datastore, _FINGERPRINT, fingerprint) != fingerprint:
        raise WrongSecret(is_set=secret is not None)
    return keys


def _own_secret(datastore: Datastore) -> str:
    made = _found(datastore, _MADE)
    if made is None and _found(datastore, _FINGERPRINT) is not None:
        raise WrongSecret(is_set=False)
    return made or _kept(datastore, _MADE, secrets.token_hex(32))


def _kept(datastore: Datastore, name: str, value: str) -> str:
    """The value that stands under a name: this one, if it is the first."""
    with datastore.rows() as cursor:
        cursor.execute(_KEEP, (name, value))
    return _found(datastore, name) or value


def _found(datastore: Datastore, name: str) -> str | None:
    with datastore.rows() as cursor:
        row = cursor.execute(_GET, (name,)).fetchone()
    return None if row is None else str(row[0])

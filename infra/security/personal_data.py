"""Seals personal data under one key for each person, so that we can forget a person.

The log keeps events for ever, with personal fields sealed (AES-256-GCM, bound to the
user's id). Each user's key is random. A table holds it, wrapped under a key of the
installation. Without that key, its sealed texts are noise, in the log and in every
later backup, and no total changes.

A sealed text is base64 of: format (1 byte), the key's mark (4), nonce (12), ciphertext.
The mark distinguishes a text whose key was erased from a text that was tampered with.
"""

import hashlib
import hmac
import secrets
import threading
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import monotonic
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.ids import UserId
from infra.log.connection import Datastore
from infra.security.installation_secret import InstallationKeys

_FORMAT = b"\x01"
_MARK_BYTES = 4
_NONCE_BYTES = 12
_TEXT_STARTS = 1 + _MARK_BYTES + _NONCE_BYTES
#: How long another process may still use a key that this process erased.
CACHE_SECONDS = 60
_CACHED_MAX = 10_000


class SealBroken(Exception):
    """A sealed text or a wrapped key is damaged, or belongs to another user."""

    code = "seal-broken"


class KeyTable(Protocol):
    """A durable table of wrapped keys."""

    def get(self, user_id: UserId) -> bytes | None: ...

    def add(self, user_id: UserId, wrapped: bytes) -> bytes:
        """Store a key unless the user has one, and return the user's key."""
        ...

    def erase(self, user_id: UserId) -> None: ...


class _UserKey(NamedTuple):
    cipher: AESGCM
    mark: bytes
    cached_at: float


class Vault:
    """A `PersonalVault` on a table of keys. Any thread may use it."""

    def __init__(self, table: KeyTable, keys: InstallationKeys) -> None:
        self._table = table
        self._claim_key = keys.derive("email-claim")
        self._wrapping = AESGCM(keys.derive("personal-keys"))
        self._cache: dict[UserId, _UserKey] = {}
        self._turn = threading.Lock()

    def claim(self, email: str) -> str:
        """Return the HMAC-SHA-256 of the address in NFC, trimmed and without case.

        A provider may distinguish cases before the @, but none does. Two accounts that
        differ only by case would be a trap.
        """
        normal = unicodedata.normalize("NFC", email.strip().casefold())
        return hmac.new(self._claim_key, normal.encode(), hashlib.sha256).hexdigest()

    def seal(self, user_id: UserId, plain: str) -> str:
        key = self._key(user_id) or self._new_key(user_id)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = key.cipher.encrypt(nonce, plain.encode(), user_id.encode())
        return urlsafe_b64encode(_FORMAT + key.mark + nonce + text).decode()

    def open(self, user_id: UserId, sealed: str) -> str | None:
        """Return the text, or None if its key is erased. Raises SealBroken."""
        try:
            whole = urlsafe_b64decode(sealed)
        except ValueError as reason:
            raise SealBroken("the text is not a sealed text") from reason
        if whole[:1] != _FORMAT:
            raise SealBroken("the sealed text has an unknown format")
        key = self._key(user_id)
        if key is None or key.mark != whole[1 : 1 + _MARK_BYTES]:
            return None
        nonce = whole[1 + _MARK_BYTES : _TEXT_STARTS]
        try:
            plain = key.cipher.decrypt(nonce, whole[_TEXT_STARTS:], user_id.encode())
        except (InvalidTag, ValueError) as reason:
            raise SealBroken("a sealed text is damaged") from reason
        return plain.decode()

    def erase(self, user_id: UserId) -> None:
        """Erase a user's key for good. Other processes follow within CACHE_SECONDS."""
        self._table.erase(user_id)
        with self._turn:
            self._cache.pop(user_id, None)

    def _key(self, user_id: UserId) -> _UserKey | None:
        key = self._cache.get(user_id)
        if key is not None and monotonic() - key.cached_at < CACHE_SECONDS:
            return key
        wrapped = self._table.get(user_id)
        if wrapped is not None:
            return self._unwrap(user_id, wrapped)
        with self._turn:
            self._cache.pop(user_id, None)
        return None

    def _new_key(self, user_id: UserId) -> _UserKey:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        fresh = AESGCM.generate_key(256)
        wrapped = nonce + self._wrapping.encrypt(nonce, fresh, user_id.encode())
        # Another process may have been faster; then its key counts.
        return self._unwrap(user_id, self._table.add(user_id, wrapped))

    def _unwrap(self, user_id: UserId, wrapped: bytes) -> _UserKey:
        nonce, text = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            plain = self._wrapping.decrypt(nonce, text, user_id.encode())
        except (InvalidTag, ValueError) as reason:
            raise SealBroken(f"the key of user {user_id} is damaged") from reason
        mark = hashlib.sha256(plain).digest()[:_MARK_BYTES]
        key = _UserKey(AESGCM(plain), mark, monotonic())
        with self._turn:
            if len(self._cache) >= _CACHED_MAX:
                self._cache.clear()
            self._cache[user_id] = key
        return key


class PostgresKeyTable:
    """The table `personal_keys`. Its methods raise LogUnavailable."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def get(self, user_id: UserId) -> bytes | None:
        with self._datastore.rows() as cursor:
            row = cursor.execute(
                "SELECT wrapped_key FROM personal_keys WHERE user_id = %s", (user_id,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def add(self, user_id: UserId, wrapped: bytes) -> bytes:
        with self._datastore.rows() as cursor:
            cursor.execute(
                "INSERT INTO personal_keys VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (user_id, wrapped),
            )
        return self.get(user_id) or wrapped

    def erase(self, user_id: UserId) -> None:
        with self._datastore.rows() as cursor:
            cursor.execute("DELETE FROM personal_keys WHERE user_id = %s", (user_id,))

"""Hashes passwords with Argon2id, slow and memory-hungry on purpose.

19 MiB and two passes are the parameters that OWASP names for one lane. A hash carries
its parameters, so old hashes stay valid if we raise them later.
"""

import unicodedata

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

_MEMORY_KIB = 19 * 1024
_PASSES = 2


class Argon2Hasher:
    """A `PasswordHasher`. Each call takes about 20 ms of one core."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, passes: int = _PASSES) -> None:
        self._argon2 = Argon2(time_cost=passes, memory_cost=memory_kib, parallelism=1)

    def hash(self, password: str) -> str:
        return self._argon2.hash(_composed(password))

    def verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, _composed(password))
        except (VerificationError, InvalidHashError):
            return False


def _composed(password: str) -> str:
    """Return the password in NFC, as RFC 8265 demands.

    Some keyboards send an é as one character, others as two.
    """
    return unicodedata.normalize("NFC", password)

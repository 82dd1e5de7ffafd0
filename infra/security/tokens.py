"""Signs and reads login tokens: JSON Web Tokens, HS256, one key."""

import jwt
import msgspec

from api.http.auth import Caller
from domain.events.event import Timestamp
from domain.ids import AccountId, UserId
from domain.vocabulary import Role

ALGORITHM = "HS256"
ISSUER = "bourse"
_SECOND = 1_000_000


class _Claims(msgspec.Struct):
    """The claims of a token. `account` and `roles` are ours, the others standard."""

    sub: UserId
    account: AccountId
    roles: tuple[Role, ...]
    exp: int
    iat: int


class SignedTokens:
    """Issues and reads tokens. Each needs the key."""

    def __init__(self, key: bytes, *, minutes: int = 720) -> None:
        self._key = key
        self.seconds = minutes * 60

    def issue(self, caller: Caller, at: Timestamp) -> str:
        claims: dict[str, object] = {
            "iss": ISSUER,
            "sub": caller.user_id,
            "account": caller.account_id,
            "roles": [str(role) for role in caller.roles],
            "iat": at // _SECOND,
            "exp": caller.expires_at // _SECOND,
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> Caller | None:
        """Return the caller, or None if the token is forged, malformed or not ours.

        This does not check the expiry. Callers check it by their own clock.
        """
        try:
            claims = msgspec.convert(
                jwt.decode(
                    token,
                    self._key,
                    [ALGORITHM],
                    issuer=ISSUER,
                    options={"verify_exp": False, "verify_iat": False},
                ),
                _Claims,
            )
        except (jwt.PyJWTError, msgspec.ValidationError):
            return None
        return Caller(claims.sub, claims.account, claims.roles, claims.exp * _SECOND)

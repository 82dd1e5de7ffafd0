"""How people sign up and log in.

The writer's memory knows the users, so a login needs no query; only the password takes
its time, in threads, a few at once.
"""

import asyncio
import re
from typing import Any, cast

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.http.auth import Caller, Tokens
from api.http.request_context import correlation_of
from api.http.request_errors import BadParameter, TooManyLogins
from api.wire.order import POSITION_HEADER
from api.write.door import LogOutOfReach, WriteDoor
from commands.messages import NoteLoginFailed, Register
from commands.ports import LogUnavailable, PasswordHasher, PersonalVault
from domain.errors import AlreadyExists, BadCredentials
from domain.events.event import Meta
from domain.ids import AccountId, UserId
from domain.user import User
from domain.vocabulary import Role

PASSWORD_LENGTHS = range(8, 129)
NAME_LENGTHS = range(1, 201)
EMAIL_LENGTH_MAX = 254
#: Passwords that are hashed at once, and that may wait for it.
HASHING_MAX = 2
WAITING_MAX = 64
#: The acting user of what is done by somebody who is not signed in.
ANONYMOUS: UserId = "anonymous"

#: What an address is made of, beside its dots: all that needs no quotes.
_SIGN = r'[^@.\s<>()\[\]\\,;:"]'
_EMAIL = re.compile(rf"({_SIGN}|\.)+@{_SIGN}+(\.{_SIGN}+)+")
_SECOND = 1_000_000


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    password: str
    full_name: str

    def check(self) -> None:
        """Refuse what nobody could log in with or be addressed by (rule USER-01)."""
        # What cannot be seen (controls, joiners, blanks of all kinds) would let one
        # address pass for another.
        if (
            len(self.email) > EMAIL_LENGTH_MAX
            or not self.email.isprintable()
            or not _EMAIL.fullmatch(self.email)
        ):
            raise BadParameter("email must be an address like ada@example.org", "email")
        if len(self.password) not in PASSWORD_LENGTHS:
            raise BadParameter("password must have 8 to 128 characters", "password")
        if len(self.full_name.strip()) not in NAME_LENGTHS:
            raise BadParameter("full_name must have 1 to 200 characters", "full_name")


class Registered(msgspec.Struct):
    user_id: UserId
    account_id: AccountId
    email: str


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    password: str


class Login(msgspec.Struct):
    """`access_token` goes into the header `Authorization: Bearer …`."""

    access_token: str
    token_type: str
    expires_in: int


class UserDesk:
    """Signs people up and in."""

    def __init__(
        self,
        door: WriteDoor,
        *,
        vault: PersonalVault,
        passwords: PasswordHasher,
        tokens: Tokens,
    ) -> None:
        self.door = door
        self._vault = vault
        self._passwords = passwords
        self._tokens = tokens
        self._hashing = asyncio.Semaphore(HASHING_MAX)
        self._waiting = 0
        # What an unknown user's password is verified against: the answer must take as
        # long as a known one's.
        self._decoy = passwords.hash(door.new_id())

    async def register(self, new: Registration, correlation: str | None) -> Register:
        """The command that signs somebody up.

        Raises:
            AlreadyExists: the address is taken; found before the costly part.
        """
        door = self.door
        new.check()
        claim = self._vault.claim(new.email)
        if claim in cast(Any, door.port).exchange.claims:
            raise AlreadyExists("this e-mail address is already registered")
        hashed = await self._slowly(self._passwords.hash, new.password)
        user_id, account_id = door.new_id(), door.new_id()
        email, name = await self._sealed(user_id, new.email, new.full_name.strip())
        meta = Meta(door.clock.now(), user_id, door.new_id(), correlation)
        return Register(meta, user_id, account_id, claim, email, name, hashed)

    async def _sealed(self, user_id: UserId, email: str, name: str) -> tuple[str, str]:
        seal = self._vault.seal
        try:
            return (
                await asyncio.to_thread(seal, user_id, email),
                await asyncio.to_thread(seal, user_id, name),
            )
        except LogUnavailable as reason:
            raise LogOutOfReach from reason

    async def log_in(self, given: Credentials, correlation: str | None) -> Login:
        """A token for who knows the password.

        Raises:
            BadCredentials: whether the address is unknown or the password wrong.
        """
        door = self.door
        claim = self._vault.claim(given.email)
        user = self._user(claim)
        stored = self._decoy if user is None else user.password_hash
        password = given.password[: PASSWORD_LENGTHS.stop]
        right = await self._slowly(self._passwords.verify, stored, password)
        now = door.clock.now()
        if user is None or not right:
            meta = Meta(now, ANONYMOUS, door.new_id(), correlation)
            door.note(NoteLoginFailed(meta, claim))
            raise BadCredentials
        expires_at = now + self._tokens.seconds * _SECOND
        roles = tuple(role for role in Role if role in user.roles)
        caller = Caller(user.user_id, user.account_id, roles, expires_at)
        token = self._tokens.issue(caller, now)
        return Login(token, "Bearer", self._tokens.seconds)

    def _user(self, claim: str) -> User | None:
        exchange = cast(Any, self.door.port).exchange
        taken = exchange.claims.get(claim)
        if taken is None or taken.user_id is None:
            return None
        return exchange.users.get(taken.user_id)

    async def _slowly(self, work: Any, *arguments: str) -> Any:
        """Run a slow function of passwords in a thread, when its turn comes."""
        if self._waiting >= WAITING_MAX:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1


AnyRequest = Request[Any, Any, Any]


@post("/auth/register", tags=["auth"])
async def register(
    data: JSONBody[Registration],
    user_desk: NamedDependency[UserDesk],
    request: AnyRequest,
) -> Response[Registered]:
    """Sign up. The account begins empty, with the role of a trader."""
    correlation = correlation_of(dict(request.scope["headers"]))
    command = await user_desk.register(data, correlation)
    answer = await user_desk.door.execute(command)
    return Response(
        Registered(command.user_id, command.account_id, data.email),
        headers={POSITION_HEADER: str(answer.position)},
    )


@post("/auth/login", tags=["auth"], status_code=200)
async def login(
    data: JSONBody[Credentials],
    user_desk: NamedDependency[UserDesk],
    request: AnyRequest,
) -> Login:
    """Exchange e-mail and password for a token."""
    correlation = correlation_of(dict(request.scope["headers"]))
    return await user_desk.log_in(data, correlation)

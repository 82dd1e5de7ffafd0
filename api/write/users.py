"""Registration and login.

The writer carries out a registration. A login reads the port `Credentials`, so every
server can answer it. Hashing a password is slow, so a few threads do it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import Scope

from api.http.auth import Caller, Tokens
from api.http.request_context import correlation_for, notes_in
from api.http.request_errors import BadParameter, TooManyLogins
from api.wire.addresses import address_of, spellings
from api.wire.order import POSITION_HEADER
from api.write.door import LogOutOfReach, WriteDoor
from commands.companions import SignIn
from commands.messages import Register
from commands.ports import (
    Credentials,
    LogUnavailable,
    PasswordHasher,
    PersonalVault,
    SecurityNotes,
)
from domain.errors import AlreadyExists, BadCredentials
from domain.events.event import Meta
from domain.events.security import LoginFailed
from domain.ids import AccountId, UserId

PASSWORD_LENGTHS = range(8, 129)
NAME_LENGTHS = range(1, 201)
#: How many passwords are hashed at once, and how many may wait.
HASHING_MAX = 2
WAITING_MAX = 64
#: The actor of a request from somebody who is not signed in.
ANONYMOUS = UserId("anonymous")

_SECOND = 1_000_000
Result = TypeVar("Result")


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """A new user. The password has 8 to 128 characters, the name 1 to 200."""

    email: str
    password: str
    full_name: str

    def checked(self) -> "Registration":
        """Return the registration with the one spelling of its address.

        Raises:
            BadParameter: the address, the password or the name is not usable.
        """
        address = address_of(self.email)
        if len(self.password) not in PASSWORD_LENGTHS:
            raise BadParameter("password must have 8 to 128 characters", "password")
        if len(self.full_name.strip()) not in NAME_LENGTHS:
            raise BadParameter("full_name must have 1 to 200 characters", "full_name")
        return msgspec.structs.replace(self, email=address)


class Registered(msgspec.Struct):
    """The new user and the user's account. `email` has the domain in lower case and in
    its ASCII form (IDNA)."""

    user_id: UserId
    account_id: AccountId
    email: str


class LoginRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The credentials of a user."""

    email: str
    password: str


class Login(msgspec.Struct):
    """A token for the header `Authorization: Bearer <access_token>`, valid for
    `expires_in` seconds."""

    access_token: str
    token_type: str
    expires_in: int


class UserDesk:
    """Registers users and logs them in."""

    def __init__(
        self,
        door: WriteDoor,
        *,
        credentials: Credentials,
        notes: SecurityNotes,
        vault: PersonalVault,
        passwords: PasswordHasher,
        tokens: Tokens,
    ) -> None:
        self.door = door
        self._credentials = credentials
        self._notes = notes
        self._vault = vault
        self._passwords = passwords
        self._tokens = tokens
        self._hashing = asyncio.Semaphore(HASHING_MAX)
        self._waiting = 0
        # A login with an unknown address checks this hash, to take the same time.
        self._decoy = passwords.hash(door.new_id())

    async def register(self, new: Registration, scope: Scope) -> Register:
        """Return the command that registers a user, after `Registration.checked`.

        Raises:
            AlreadyExists: the address has a user. The writer decides, but this check
                ends most such requests before the slow hash. It alone finds a user
                whose claim has an older spelling.
        """
        door = self.door
        claim = self._vault.claim(new.email)
        if await self._known(self._claims(new.email)):
            raise AlreadyExists("this e-mail address is already registered")
        hashed = await self._slowly(self._passwords.hash, new.password)
        user_id: UserId = door.new_id()
        account_id: AccountId = door.new_id()
        email, name = await self._sealed(user_id, new.email, new.full_name.strip())
        meta = self._meta(user_id, scope)
        return Register(meta, user_id, account_id, claim, email, name, hashed)

    def _meta(self, actor: UserId, scope: Scope) -> Meta:
        command_id = self.door.new_id()
        correlation = correlation_for(notes_in(scope), command_id)
        return Meta(self.door.clock.now(), actor, command_id, correlation)

    async def _sealed(self, user_id: UserId, email: str, name: str) -> tuple[str, str]:
        seal = self._vault.seal
        try:
            return (
                await asyncio.to_thread(seal, user_id, email),
                await asyncio.to_thread(seal, user_id, name),
            )
        except LogUnavailable as reason:
            raise LogOutOfReach from reason

    def _claims(self, email: str) -> list[str]:
        return list(dict.fromkeys(map(self._vault.claim, spellings(email))))

    async def _known(self, claims: Sequence[str]) -> bool:
        try:
            return bool(await asyncio.to_thread(self._holders, claims))
        except LogUnavailable as reason:
            raise LogOutOfReach from reason

    def _holders(self, claims: Sequence[str]) -> list[SignIn]:
        holders = map(self._credentials.of, claims)
        return [each for each in holders if each is not None]

    async def log_in(self, request: LoginRequest, scope: Scope) -> Login:
        """Return a token if the password is right.

        Raises:
            BadCredentials: the address is unknown or the password is wrong.
            LogOutOfReach: Postgres is unavailable.
        """
        claims = self._claims(request.email)
        password = request.password[: PASSWORD_LENGTHS.stop]
        try:
            user = await self._slowly(self._verified, claims, password)
        except LogUnavailable as reason:
            raise LogOutOfReach from reason
        if user is None:
            self._notes.note(LoginFailed(self._meta(ANONYMOUS, scope), claims[0]))
            raise BadCredentials
        now = self.door.clock.now()
        expires_at = now + self._tokens.seconds * _SECOND
        caller = Caller(user.user_id, user.account_id, user.roles, expires_at)
        token = self._tokens.issue(caller, now)
        return Login(token, "Bearer", self._tokens.seconds)

    def _verified(self, claims: Sequence[str], password: str) -> SignIn | None:
        verify = self._passwords.verify
        holders = self._holders(claims)
        if not holders:
            verify(self._decoy, password)
        return next((u for u in holders if verify(u.password_hash, password)), None)

    async def _slowly(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run a slow function of passwords in a thread, a few at a time.

        Raises:
            TooManyLogins: too many wait already.
        """
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
    """Register a user. The new account is empty, and the user has the role `trader`."""
    new = data.checked()
    command = await user_desk.register(new, request.scope)
    answer = await user_desk.door.execute(command)
    return Response(
        Registered(command.user_id, command.account_id, new.email),
        headers={POSITION_HEADER: str(answer.position)},
    )


@post("/auth/login", tags=["auth"], status_code=200)
async def login(
    data: JSONBody[LoginRequest],
    user_desk: NamedDependency[UserDesk],
    request: AnyRequest,
) -> Login:
    """Exchange an e-mail address and a password for a token."""
    return await user_desk.log_in(data, request.scope)

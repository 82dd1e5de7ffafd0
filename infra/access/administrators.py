"""Creates administrators, and signs tokens for the operator of an installation.

Nobody becomes an administrator by asking a server. The holder of the installation's key
may sign a token for a few minutes; the command line does so, with the key from the
database. Without a server the command goes through a writer of this process.
"""

import asyncio
import secrets
from urllib.parse import quote

import msgspec

from api.health import Readiness
from api.http.auth import Caller
from api.wire.addresses import spellings
from api.write.users import Registration
from commands.messages import GrantRole
from commands.messages import Register as RegisterCommand
from commands.writer.writer import Writer
from domain.events.event import Meta, Timestamp
from domain.ids import AccountId, UserId
from domain.vocabulary import Role
from infra.access.api_client import ServerClient, ServerRefused
from infra.access.temporary_writer import temporary_writer
from infra.log.event_store import PostgresEventStore
from infra.log.snapshots import PostgresSnapshotStore
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers
from infra.runtime.settings import Settings
from infra.security.credentials import PostgresCredentials
from infra.security.installation_secret import InstallationKeys, installation_keys
from infra.security.passwords import Argon2Hasher
from infra.security.personal_data import PostgresKeyTable, Vault
from infra.security.tokens import SignedTokens

#: The actor of commands from the command line.
OPERATOR = UserId("operator")
TOKEN_MINUTES = 15
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
PASSWORD_BYTES = 12


class Administrator(msgspec.Struct, frozen=True):
    """The new administrator. `password` is set if this program generated it."""

    email: str
    user_id: UserId
    account_id: AccountId | None
    created: bool
    password: str | None = None


def operator_token(keys: InstallationKeys, now: Timestamp) -> str:
    """Return a token with which the command line may act as an administrator."""
    expires_at = now + TOKEN_MINUTES * _MINUTE
    caller = Caller(OPERATOR, AccountId(""), (Role.ADMIN,), expires_at)
    return SignedTokens(keys.token_key(), minutes=TOKEN_MINUTES).issue(caller, now)


def generated_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


class _Registered(msgspec.Struct):
    user_id: UserId
    account_id: AccountId


class Administrators:
    """The administrators of one installation."""

    def __init__(self, settings: Settings, store: PostgresEventStore) -> None:
        self._store = store
        self._keys = installation_keys(store.datastore, settings.secret_key)
        self._credentials = PostgresCredentials(store.datastore)
        self._vault = Vault(PostgresKeyTable(store.datastore), self._keys)
        self._clock = SystemClock()
        self._ids = Identifiers(self._clock)

    def token(self, client: ServerClient) -> str:
        """Return an operator's token that is valid by the time of a server.

        After a step of the system's clock, the server keeps another time than ours.
        """
        step = client.call("GET", "/health/ready").read(Readiness).clock
        ahead = 0 if step is None else step.ahead_seconds * _SECOND
        return operator_token(self._keys, self._clock.now() - ahead)

    def user_of(self, email: str) -> UserId | None:
        """Return the user who signs in with an address."""
        for spelling in spellings(email):
            sign_in = self._credentials.of(self._vault.claim(spelling))
            if sign_in is not None:
                return sign_in.user_id
        return None

    def through_server(self, client: ServerClient, new: Registration) -> Administrator:
        """Create an administrator through the API of a live server.

        Raises:
            ServerRefused, ServerUnreachable: the server did not do it.
        """
        client.token = None
        answer = client.call("POST", "/auth/register", new)
        registered = None
        if answer.status == 201:
            registered = answer.read(_Registered)
        elif answer.status != 409:
            raise ServerRefused("the registration", answer)
        user_id = registered.user_id if registered else self.user_of(new.email)
        if user_id is None:
            # Taken, but not in this database: the server has another one.
            raise ServerRefused("the registration", answer)
        client.token = self.token(client)
        path = f"/v2/admin/users/{quote(user_id)}/roles"
        client.ask("POST", path, {"role": Role.ADMIN})
        account_id = registered.account_id if registered else None
        return Administrator(new.email, user_id, account_id, registered is not None)

    def through_temporary_writer(self, new: Registration) -> Administrator:
        """Create an administrator without a server, by leading for a moment.

        Raises:
            NoLease: a server leads; call that server instead.
        """
        return asyncio.run(self._lead(new.checked()))

    async def _lead(self, new: Registration) -> Administrator:
        snapshots = PostgresSnapshotStore(self._store.datastore)
        async with temporary_writer(self._store, snapshots) as writer:
            return await self._carry_out(writer, new)

    async def _carry_out(self, writer: Writer, new: Registration) -> Administrator:
        user_id = await asyncio.to_thread(self.user_of, new.email)
        account_id: AccountId | None = None
        if user_id is None:
            register = await asyncio.to_thread(self._registration, new)
            user_id, account_id = register.user_id, register.account_id
            await writer.execute(register)
        await writer.execute(GrantRole(self._meta(), user_id, Role.ADMIN))
        return Administrator(
            new.email, user_id, account_id, created=account_id is not None
        )

    def _registration(self, new: Registration) -> RegisterCommand:
        user_id: UserId = self._ids.new()
        return RegisterCommand(
            self._meta(),
            user_id,
            self._ids.new(),
            self._vault.claim(new.email),
            self._vault.seal(user_id, new.email),
            self._vault.seal(user_id, new.full_name),
            Argon2Hasher().hash(new.password),
        )

    def _meta(self) -> Meta:
        return Meta(self._clock.now(), OPERATOR, self._ids.new())

"""Users with their accounts and roles, claims on addresses, and the security log."""

from typing import ClassVar

from domain.aggregate import Aggregate, Frozen, Outbox
from domain.errors import AlreadyExists
from domain.events.event import Meta
from domain.events.security import (
    AccessRefused,
    LoginFailed,
    OperationForced,
    SecurityEvent,
)
from domain.events.user import EmailClaimed, RoleGranted, UserRegistered
from domain.ids import AccountId, Stream, UserId, email_stream, user_stream
from domain.vocabulary import Role

#: How many security facts one minute may add to the log (rule USER-04).
SECURITY_FACTS_PER_MINUTE = 60
_MINUTE = 60_000_000


class FrozenUser(Frozen, tag="user"):
    """A frozen user. `roles` are in the order of `Role`."""

    account_id: AccountId
    claim: str
    roles: tuple[Role, ...]


class User(Aggregate):
    """One person. Callers encrypt personal data before they pass it here."""

    __slots__ = ("account_id", "claim", "roles", "user_id")

    def __init__(self, user_id: UserId, outbox: Outbox) -> None:
        super().__init__(user_stream(user_id), outbox)
        self.user_id = user_id
        self.account_id = AccountId("")
        self.claim = ""
        self.roles: set[Role] = set()

    def register(
        self,
        account_id: AccountId,
        *,
        claim: str,
        email_sealed: str,
        full_name_sealed: str,
        meta: Meta,
    ) -> None:
        """Sign the person up (rule USER-01)."""
        self.record(
            UserRegistered(meta, account_id, claim, email_sealed, full_name_sealed)
        )

    @property
    def all_roles(self) -> tuple[Role, ...]:
        """Return the user's roles in the order of `Role`."""
        return tuple(role for role in Role if role in self.roles)

    def grant(self, role: Role, *, meta: Meta) -> bool:
        """Grant a role unless the user has it; return whether it is new (rule USER-03).

        Only the venue grants roles.
        """
        if role in self.roles:
            return False
        self.record(RoleGranted(meta, role))
        return True

    def _registered(self, event: UserRegistered) -> None:
        self.account_id = event.account_id
        self.claim = event.claim
        self.roles.add(Role.TRADER)

    def _granted(self, event: RoleGranted) -> None:
        self.roles.add(event.role)

    handlers: ClassVar = {UserRegistered: _registered, RoleGranted: _granted}
    frozen_type: ClassVar = FrozenUser

    def freeze(self) -> FrozenUser:
        """Return the account, the claim and the roles."""
        return FrozenUser(
            self.stream, self.version, self.account_id, self.claim, self.all_roles
        )

    def thaw(self, frozen: FrozenUser) -> None:
        """Load the account, the claim and the roles."""
        self.version = frozen.version
        self.account_id = frozen.account_id
        self.claim = frozen.claim
        self.roles = set(frozen.roles)


class FrozenClaim(Frozen, tag="email"):
    """A frozen claim. `user_id` is None until a user takes the address."""

    user_id: UserId | None


class EmailClaim(Aggregate):
    """One e-mail address, by its keyed hash; at most one user holds it (USER-02)."""

    __slots__ = ("user_id",)

    def __init__(self, claim: str, outbox: Outbox) -> None:
        super().__init__(email_stream(claim), outbox)
        self.user_id: UserId | None = None

    def check(self) -> None:
        """Check that no user holds the address.

        Raises:
            AlreadyExists: a user holds it.
        """
        if self.user_id is not None:
            raise AlreadyExists("this e-mail address is already registered")

    def take(self, user_id: UserId, *, meta: Meta) -> None:
        """Claim the address for a user."""
        self.check()
        self.record(EmailClaimed(meta, user_id))

    def _claimed(self, event: EmailClaimed) -> None:
        self.user_id = event.user_id

    handlers: ClassVar = {EmailClaimed: _claimed}
    frozen_type: ClassVar = FrozenClaim

    def freeze(self) -> FrozenClaim:
        """Return the holder of the address."""
        return FrozenClaim(self.stream, self.version, self.user_id)

    def thaw(self, frozen: FrozenClaim) -> None:
        """Load the holder of the address."""
        self.version = frozen.version
        self.user_id = frozen.user_id


class FrozenSecurityLog(Frozen, tag="security"):
    """A frozen security log: the newest minute and the count of its facts."""

    minute: int
    noted: int


class SecurityLog(Aggregate):
    """A log of refusals, limited in rate so that nobody can flood it.

    Another server may send a refusal of an earlier minute; it counts for the newest.
    """

    __slots__ = ("minute", "noted")

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__(Stream("security-" + name), outbox)
        self.minute = 0
        self.noted = 0

    def note(self, event: SecurityEvent) -> bool:
        """Record a refusal unless its minute is full; return whether it is recorded.

        Rule USER-04 sets the limit of a minute.
        """
        is_new = event.meta.at // _MINUTE > self.minute
        if not is_new and self.noted >= SECURITY_FACTS_PER_MINUTE:
            return False
        self.record(event)
        return True

    def force(self, event: OperationForced) -> None:
        """Record that an operator overrode a condition, at any rate (FORCE-02)."""
        self.record(event)

    def _noted(self, event: SecurityEvent) -> None:
        minute = event.meta.at // _MINUTE
        if minute > self.minute:
            self.minute, self.noted = minute, 0
        self.noted += 1

    def _forced(self, _: OperationForced) -> None:
        """Keep no state: only refusals count for the rate."""

    handlers: ClassVar = {
        LoginFailed: _noted,
        AccessRefused: _noted,
        OperationForced: _forced,
    }
    frozen_type: ClassVar = FrozenSecurityLog

    def freeze(self) -> FrozenSecurityLog:
        """Return the newest minute and its count."""
        return FrozenSecurityLog(self.stream, self.version, self.minute, self.noted)

    def thaw(self, frozen: FrozenSecurityLog) -> None:
        """Load the newest minute and its count."""
        self.version = frozen.version
        self.minute = frozen.minute
        self.noted = frozen.noted

"""Facts of the streams `user-<user id>` and `email-<keyed hash of the address>`."""

from typing import TypeAlias

from domain.events.event import Event
from domain.ids import AccountId, UserId
from domain.vocabulary import Role


class UserRegistered(Event, frozen=True, tag="user.registered"):
    """A person signed up. That person's own key encrypts the e-mail and the name.

    Older facts also hold `password_hash`; the decoder ignores it.
    """

    account_id: AccountId
    claim: str
    email_sealed: str
    full_name_sealed: str


class RoleGranted(Event, frozen=True, tag="user.role-granted"):
    """The venue gave a user a role."""

    role: Role


class EmailClaimed(Event, frozen=True, tag="email.claimed"):
    """A user claimed an e-mail address; the stream's name has its keyed hash."""

    user_id: UserId


UserEvent: TypeAlias = UserRegistered | RoleGranted | EmailClaimed

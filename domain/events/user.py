"""Facts of the streams `user-<user id>` and `email-<keyed hash of the address>`."""

from typing import TypeAlias

from domain.events.event import Event
from domain.ids import AccountId, UserId
from domain.vocabulary import Role


class UserRegistered(Event, frozen=True, tag="user.registered"):
    """A person signed up. E-mail and name are sealed under that person's own key.

    Older facts also hold `password_hash`; reading them ignores it.
    """

    account_id: AccountId
    claim: str
    email_sealed: str
    full_name_sealed: str


class RoleGranted(Event, frozen=True, tag="user.role-granted"):
    """The venue gave a user a role."""

    role: Role


class EmailClaimed(Event, frozen=True, tag="email.claimed"):
    """An e-mail address was taken; the stream's name is its keyed hash."""

    user_id: UserId


UserEvent: TypeAlias = UserRegistered | RoleGranted | EmailClaimed

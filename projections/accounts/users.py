"""The users, by id or by the claim on their e-mail address.

Personal data is sealed here as in the log. The password hash stays in the log alone.
"""

from typing import ClassVar

import msgspec

from domain.events.event import Timestamp
from domain.events.register import Fact
from domain.events.user import RoleGranted, UserRegistered
from domain.ids import AccountId, LogPosition, Stream, UserId
from domain.vocabulary import Role
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import (
    Change,
    PutRows,
    ReadReferred,
    ReadResult,
    ReadRows,
    View,
    Views,
)

VIEW = View("users")
USERS = "users"
CLAIMS = "claims"


class User(msgspec.Struct, array_like=True, gc=False):
    """A person. `roles` are in the order of the grants."""

    user_id: UserId
    account_id: AccountId
    claim: str
    roles: list[Role]
    email_sealed: str
    full_name_sealed: str
    registered_at: Timestamp
    log_position: LogPosition


def user_of(stream: Stream) -> UserId:
    """Return the user id in the name of a `user-…` stream."""
    return UserId(stream[5:])


class UsersProjection(Projection):
    """The fold of registrations and role grants."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._users = Rows(USERS, User)
        super().__init__(self._users)
        self._claims: dict[str, str] = {}

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._claims = {}

    @needs(RoleGranted)
    def _touches(self, _event: RoleGranted, fact: Fact) -> None:
        self._users.want(user_of(fact.stream))

    @on(UserRegistered)
    def _registered(self, event: UserRegistered, fact: Fact) -> None:
        user_id = user_of(fact.stream)
        user = User(
            user_id,
            event.account_id,
            event.claim,
            [Role.TRADER],
            event.email_sealed,
            event.full_name_sealed,
            event.meta.at,
            fact.position,
        )
        self._users.put(user_id, user)
        self._claims[event.claim] = user_id

    @on(RoleGranted)
    def _granted(self, event: RoleGranted, fact: Fact) -> None:
        user = self._users.change(user_of(fact.stream))
        user.roles.append(event.role)
        user.log_position = fact.position

    def changes(self) -> list[Change]:
        changes = super().changes()
        if self._claims:
            changes.append(PutRows(CLAIMS, self._claims))
        self._claims = {}
        return changes


async def user(views: Views, user_id: UserId) -> User | None:
    """Return one user; None if the id is unknown."""
    return _user(await views.read(VIEW, [ReadRows(USERS, [user_id])]))


async def by_claim(views: Views, claim: str) -> User | None:
    """Return the user who holds an e-mail address. `claim` is its keyed hash."""
    return _user(await views.read(VIEW, [ReadReferred(CLAIMS, USERS, [claim])]))


def _user(answer: ReadResult) -> User | None:
    ((stored,),) = answer.replies
    with decoding(VIEW, answer):
        return None if stored is None else msgspec.json.decode(stored, type=User)

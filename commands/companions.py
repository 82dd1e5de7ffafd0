"""Rows that one transaction commits together with the facts of their command.

Some commands need a row in addition to their facts. Credentials, for example, never
enter the log. `Exchange.companions` collects such rows, and one append commits them
with the facts or not at all.
"""

from typing import TypeAlias

import msgspec

from domain.ids import AccountId, CommandId, UserId
from domain.vocabulary import Role


class SignIn(msgspec.Struct, frozen=True):
    """The credentials of one user, and the contents of the user's tokens.

    `claim` is the keyed hash of the e-mail address.
    """

    claim: str
    user_id: UserId
    account_id: AccountId
    password_hash: str
    roles: tuple[Role, ...]


class RolesOf(msgspec.Struct, frozen=True):
    """All roles of a user from now on."""

    user_id: UserId
    roles: tuple[Role, ...]


class NoteRecorded(msgspec.Struct, frozen=True):
    """The mark that the fact of a note of the security outbox is in the log."""

    note_id: CommandId


Companion: TypeAlias = SignIn | RolesOf | NoteRecorded

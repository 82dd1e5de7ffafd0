"""Rows that become durable in the transaction of the facts that they belong to.

A command records facts; some commands also need a row that is no fact: what a login is
checked against never enters the log. `Exchange.companions` collects such rows, and one
append commits them with the facts or not at all.
"""

from typing import TypeAlias

import msgspec

from domain.ids import AccountId, CommandId, UserId
from domain.vocabulary import Role


class SignIn(msgspec.Struct, frozen=True):
    """What a login of one user is checked against, and what its token says.

    `claim` is the keyed hash of the e-mail address.
    """

    claim: str
    user_id: UserId
    account_id: AccountId
    password_hash: str
    roles: tuple[Role, ...]


class RolesOf(msgspec.Struct, frozen=True):
    """All roles that a user has from now on."""

    user_id: UserId
    roles: tuple[Role, ...]


class NoteRecorded(msgspec.Struct, frozen=True):
    """A note of the security outbox whose fact is in the log from now on."""

    note_id: CommandId


Companion: TypeAlias = SignIn | RolesOf | NoteRecorded

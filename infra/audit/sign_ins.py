"""Compares the credentials with the registrations and roles in the log.

Logins read the credentials, not the log. A row that the log does not explain could let
a stranger in, or make a trader an administrator.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from commands.companions import SignIn
from domain.events.event import Event
from domain.events.register import Fact
from domain.events.user import RoleGranted, UserRegistered
from domain.ids import AccountId, LogPosition, Stream, user_stream
from domain.vocabulary import Role
from infra.audit.findings import Findings, Violation

Handler: TypeAlias = Callable[[Fact, Any], None]


class SignInTable(msgspec.Struct, frozen=True):
    """The credentials of all users, and the head of the log at the same moment."""

    rows: Sequence[SignIn]
    position: LogPosition


class _Due(msgspec.Struct):
    """The row that the log gives for a user, without the hash of the password."""

    claim: str
    account_id: AccountId
    roles: set[Role]
    position: LogPosition


class SignInsAudit:
    """A fold of registrations and roles, compared with the table at its end."""

    def __init__(self, findings: Findings, credentials: SignInTable | None) -> None:
        self._findings = findings
        self._credentials = credentials
        self.is_compared = credentials is not None
        self._due: dict[Stream, _Due] = {}
        self.compared = 0
        self.handlers: dict[type[Event], Handler] = {
            UserRegistered: self._registered,
            RoleGranted: self._granted,
        }

    def _is_in_table(self, fact: Fact) -> bool:
        table = self._credentials
        return table is not None and fact.position <= table.position

    def _registered(self, fact: Fact, event: Any) -> None:
        if self._is_in_table(fact):
            self._due[fact.stream] = _Due(
                event.claim, event.account_id, {Role.TRADER}, fact.position
            )

    def _granted(self, fact: Fact, event: Any) -> None:
        user = self._due.get(fact.stream)
        if user is not None and self._is_in_table(fact):
            user.roles.add(event.role)
            user.position = fact.position

    def end(self) -> None:
        """Compare the table with the log up to the table's log position."""
        table = self._credentials
        if table is None:
            return
        due = dict(self._due)
        for row in table.rows:
            self.compared += 1
            stream = user_stream(row.user_id)
            registered = due.pop(stream, None)
            if registered is None:
                self._note(table.position, stream, "no fact registers this user")
            else:
                self._compare(row, registered, stream)
        for stream, missing in due.items():
            what = "the log registers this user, the table has no row"
            self._note(missing.position, stream, what)

    def _compare(self, row: SignIn, due: _Due, stream: Stream) -> None:
        if (row.claim, row.account_id) != (due.claim, due.account_id):
            what = "the row has another address or account than the registration"
            self._note(due.position, stream, what)
        if set(row.roles) != due.roles:
            what = f"the row has the roles {_text(row.roles)}"
            what += f", the log gives {_text(due.roles)}"
            self._note(due.position, stream, what)

    def _note(self, position: LogPosition, stream: Stream, what: str) -> None:
        self._findings.add(Violation("credentials", position, stream, "", what))


def _text(roles: Sequence[Role] | set[Role]) -> str:
    return ", ".join(role for role in Role if role in roles) or "(none)"

"""Facts of the stream `security-log`: refused logins, refused access, forced work."""

from typing import TypeAlias

from domain.events.event import Event


class LoginFailed(Event, frozen=True, tag="security.login-failed"):
    """A client sent a wrong password or an unknown address. Limited in rate."""

    claim: str


class AccessRefused(Event, frozen=True, tag="security.access-refused"):
    """A user called a route that the user's role does not allow. Limited in rate."""

    route: str


class OperationForced(Event, frozen=True, tag="security.operation-forced"):
    """An operator carried out an operation although a condition of it failed.

    `operation` and `condition` are stable words. `subject` names what was operated on,
    such as a symbol.
    """

    operation: str
    condition: str
    subject: str


#: What a server refuses for security reasons.
SecurityRefusal: TypeAlias = LoginFailed | AccessRefused
SecurityEvent: TypeAlias = SecurityRefusal | OperationForced

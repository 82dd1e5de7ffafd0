"""Facts of the stream `security-log`: refused logins and refused access."""

from typing import TypeAlias

from domain.events.event import Event


class LoginFailed(Event, frozen=True, tag="security.login-failed"):
    """A client sent a wrong password or an unknown address. Limited in rate."""

    claim: str


class AccessRefused(Event, frozen=True, tag="security.access-refused"):
    """A user called a route that the user's role does not allow. Limited in rate."""

    route: str


SecurityEvent: TypeAlias = LoginFailed | AccessRefused

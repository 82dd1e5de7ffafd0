"""Facts of the stream `security-log`: what was tried and refused."""

from typing import TypeAlias

from domain.events.event import Event


class LoginFailed(Event, frozen=True, tag="security.login-failed"):
    """Somebody gave a wrong password or an unknown address. Bounded in rate."""

    claim: str


class AccessRefused(Event, frozen=True, tag="security.access-refused"):
    """A signed-in user asked for what the role does not allow. Bounded in rate."""

    route: str


SecurityEvent: TypeAlias = LoginFailed | AccessRefused

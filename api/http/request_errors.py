"""What is wrong with a request before it is a command: its form, or who sends it.

Refusals of the domain are in `domain/errors.py`; these never reach it.
"""

from domain.errors import DomainError, Unavailable


class MalformedBody(DomainError):
    """The body is not JSON."""

    code = "malformed-body"

    def __init__(self) -> None:
        super().__init__("the request body is not valid JSON")


class BadParameter(DomainError):
    """A parameter is missing, unknown or of the wrong form."""

    code = "invalid-parameter"

    def __init__(self, sentence: str, field: str | None = None) -> None:
        facts = {} if field is None else {"field": field}
        super().__init__(sentence, **facts)


class NotSupportedYet(DomainError):
    """Alpaca's API has it and Bourse does not have it yet."""

    code = "not-supported-yet"

    def __init__(self, what: str, field: str | None = None) -> None:
        facts = {} if field is None else {"field": field}
        super().__init__(f"{what} not supported yet", **facts)


class BodyTooLarge(DomainError):
    """The request body is larger than the server takes."""

    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request body is larger than {limit} bytes", limit=limit)


class WrongMediaType(DomainError):
    """The body claims to be something else than JSON."""

    code = "unsupported-media-type"

    def __init__(self) -> None:
        super().__init__("the request body must be sent as application/json")


class NotSignedIn(DomainError):
    """There is no token, or not one that is valid now."""

    code = "not-signed-in"

    def __init__(self, sentence: str = "request is not authorized") -> None:
        super().__init__(sentence)


class NotAllowed(DomainError):
    """The caller's roles do not allow it."""

    code = "not-allowed"

    def __init__(self) -> None:
        super().__init__("this needs the role admin")


class TooManyLogins(Unavailable):
    """More passwords wait to be checked than the server takes on."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("too many logins are waiting; send it again in a moment")

"""Errors of a request before it becomes a command: in its form or its sender.

The refusals of the domain are in `domain/errors.py`.
"""

from domain.errors import DomainError, Unavailable


class MalformedBody(DomainError):
    """The body is not JSON."""

    code = "malformed-body"

    def __init__(self, sentence: str = "the request body is not valid JSON") -> None:
        super().__init__(sentence)


class BadParameter(DomainError):
    """A parameter or field is missing, unknown or invalid."""

    code = "invalid-parameter"

    def __init__(self, sentence: str, field: str | None = None) -> None:
        facts = {} if field is None else {"field": field}
        super().__init__(sentence, **facts)


class NotSupportedYet(DomainError):
    """A feature of Alpaca's API that Bourse does not have yet."""

    code = "not-supported-yet"

    def __init__(self, what: str, field: str | None = None) -> None:
        facts = {} if field is None else {"field": field}
        super().__init__(f"{what} not supported yet", **facts)


class BodyTooLarge(DomainError):
    """The request body is larger than the server accepts."""

    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request body is larger than {limit} bytes", limit=limit)


class WrongMediaType(DomainError):
    """The `Content-Type` of the body is not JSON."""

    code = "unsupported-media-type"

    def __init__(self) -> None:
        super().__init__("the request body must be sent as application/json")


class EncodedBody(DomainError):
    """The body is compressed, as its `Content-Encoding` says."""

    code = "unsupported-content-encoding"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"send the request body without Content-Encoding, not as {encoding}",
            encoding=encoding,
        )


class NotSignedIn(DomainError):
    """The token is missing, forged or expired."""

    code = "not-signed-in"

    def __init__(self, sentence: str = "request is not authorized") -> None:
        super().__init__(sentence)


class NotAllowed(DomainError):
    """The caller's roles do not allow the request."""

    code = "not-allowed"

    def __init__(self) -> None:
        super().__init__("this request requires the role admin")


class MalformedRequest(DomainError):
    """The bytes that the client sent are not HTTP."""

    code = "malformed-request"

    def __init__(self) -> None:
        super().__init__("the request is not valid HTTP/1.1")


class TargetTooLong(DomainError):
    """The path and query of the request are longer than the server accepts."""

    code = "target-too-long"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the path and query of a request have at most {limit} bytes", limit=limit
        )


class HeadTooLarge(DomainError):
    """The headers of the request are larger than the server accepts."""

    code = "headers-too-large"

    def __init__(self, line: int, total: int) -> None:
        super().__init__(
            f"a header has at most {line} bytes, and all together {total}",
            limit=total,
        )


class RequestTooSlow(DomainError):
    """The head or the body of the request did not arrive in time."""

    code = "request-too-slow"

    def __init__(self, part: str, limit_seconds: float) -> None:
        super().__init__(
            f"the {part} of the request did not arrive within {limit_seconds:g} seconds"
        )


class TooManyConnections(DomainError):
    """The address of the client has as many connections as it may have."""

    code = "too-many-connections"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"one address may have {limit} connections; close some, or send several "
            "requests on one",
            limit=limit,
        )


class ServerFull(Unavailable):
    """The server has as many connections as it may have."""

    code = "server-full"

    def __init__(self) -> None:
        super().__init__("the server has no room for a connection; retry in a moment")


class TooManyLogins(Unavailable):
    """Too many logins wait for the server to check their passwords."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("too many logins are waiting; retry in a moment")

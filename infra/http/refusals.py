"""The bytes of a refusal that the server sends before the application runs."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.http.error_responses import JSON, problem_of
from domain.errors import DomainError


def refusal_of(error: DomainError, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole response with these headers; the connection ends after it."""
    problem = problem_of(error)
    body = problem.body()
    every = [
        *headers,
        *JSON,
        (b"content-length", b"%d" % len(body)),
        *problem.headers,
        (b"connection", b"close"),
    ]
    lines = [b"%b: %b\r\n" % header for header in every]
    return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])

"""The response to a command: its status, its body, and its log position."""

from typing import TypeVar

from litestar import Response

from api.wire.order import POSITION_HEADER
from commands.answers import Answer

T = TypeVar("T")

REPLAYED_HEADER = "Idempotent-Replayed"


def response_of(body: T, answer: Answer, *, status: int = 200) -> Response[T]:
    """Return the body and the log position; 200 instead of 201 for a repeat."""
    if answer.repeated and status == 201:
        status = 200
    return Response(body, status_code=status, headers=_headers(answer))


def empty_response(answer: Answer) -> Response[None]:
    """Return an empty response with the log position."""
    return Response(None, status_code=204, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    headers: dict[str, str] = {}
    # If every part was refused, the command recorded nothing and has no position.
    if answer.position:
        headers[POSITION_HEADER] = str(answer.position)
    if answer.repeated:
        headers[REPLAYED_HEADER] = "true"
    return headers

"""How a command's outcome is answered: the status, and where the log tells of it."""

from collections.abc import Sequence
from typing import TypeVar

from litestar import Response

from api.wire.order import POSITION_HEADER
from commands.writer import Answer

T = TypeVar("T")

REPLAYED_HEADER = "Idempotent-Replayed"


def answered(body: T, answer: Answer, *, status: int = 200) -> Response[T]:
    """The body, with the log position; a command sent again is answered with 200."""
    if answer.repeated and status == 201:
        status = 200
    return Response(body, status_code=status, headers=_headers(answer))


def done(answer: Answer) -> Response[None]:
    """Nothing to tell but that it is done, and where."""
    return Response(None, status_code=204, headers=_headers(answer))


def answered_in_parts(body: T, answers: Sequence[Answer]) -> Response[T]:
    """The body of a request that came to several commands, those refused left out."""
    if not answers:
        return Response(body, status_code=207)
    last = max(answer.position for answer in answers)
    repeated = all(answer.repeated for answer in answers)
    return answered(body, Answer(last, (), repeated), status=207)


def _headers(answer: Answer) -> dict[str, str]:
    headers = {POSITION_HEADER: str(answer.position)}
    if answer.repeated:
        headers[REPLAYED_HEADER] = "true"
    return headers

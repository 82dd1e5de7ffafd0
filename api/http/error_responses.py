"""Error responses: the one place that chooses the HTTP status and number of an error.

Every error of every route is `{"code": int, "message": sentence, "reason": word}`,
plus the facts of the error.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, TypeAlias
from uuid import uuid4

import msgspec
import structlog

from api.http import request_errors as refusals
from domain import errors
from domain.errors import DomainError

Headers: TypeAlias = list[tuple[bytes, bytes]]

_log = structlog.get_logger(__name__)

#: Status and number by error class. The nearest base class of an error decides.
SHAPES: dict[type[DomainError], tuple[int, int]] = {
    DomainError: (422, 42210000),
    refusals.MalformedBody: (400, 40010000),
    refusals.BadParameter: (422, 40010001),
    refusals.NotSupportedYet: (422, 42210000),
    refusals.BodyTooLarge: (413, 41310000),
    refusals.WrongMediaType: (415, 41510000),
    refusals.EncodedBody: (415, 41510000),
    refusals.MalformedRequest: (400, 40010000),
    refusals.RequestTooSlow: (408, 40810000),
    refusals.TargetTooLong: (414, 41410000),
    refusals.TooManyConnections: (429, 42910000),
    refusals.HeadTooLarge: (431, 43110000),
    refusals.NotSignedIn: (401, 40110000),
    refusals.NotAllowed: (403, 40310000),
    errors.BadCredentials: (401, 40110000),
    errors.InsufficientFunds: (403, 40310000),
    errors.InsufficientShares: (403, 40310000),
    errors.TradingSuspended: (403, 40310000),
    errors.ConditionFailed: (409, 40910000),
    errors.TooManyOpenOrders: (403, 40310000),
    errors.NotFound: (404, 40410000),
    errors.Conflict: (409, 40910000),
    errors.AlreadyExists: (409, 40910000),
    errors.UnknownClockStep: (409, 40910000),
    errors.DuplicateOrder: (422, 40010001),
    errors.OrderDone: (422, 42210000),
    errors.InvalidOrder: (422, 40010001),
    # These orders are well-formed, but the market's terms do not allow them.
    errors.OffTick: (422, 42210000),
    errors.OffLot: (422, 42210000),
    errors.AmountTooLarge: (422, 42210000),
    errors.UnknownSymbol: (422, 42210000),
    errors.NothingToReplace: (422, 42210000),
    errors.MarketHalted: (422, 42210000),
    errors.PriceOutsideBand: (422, 42210000),
    errors.InvalidListing: (422, 42210000),
    errors.Unavailable: (503, 50310000),
}
#: The reason of a defect.
DEFECT = "internal"
#: Errors that the framework raises: for a path, a method or a parameter.
STATUS_CODES = {400: 40010000, 404: 40410000, 405: 40510000}
RETRY_AFTER: Headers = [(b"retry-after", b"1")]
JSON: Headers = [(b"content-type", b"application/json")]
BEARER: Headers = [(b"www-authenticate", b"Bearer")]

_encode = msgspec.json.Encoder().encode


class Problem(msgspec.Struct, frozen=True):
    """The body of every error response. Some errors add facts as further keys, such as
    `available` or `field`. `reason` is a stable word for programs."""

    code: Annotated[int, msgspec.Meta(examples=[40310000])]
    message: Annotated[
        str,
        msgspec.Meta(
            examples=["insufficient buying power (available: 5, required: 100000)"]
        ),
    ]
    reason: Annotated[str, msgspec.Meta(examples=["insufficient-funds"])]


class Failure(msgspec.Struct, frozen=True):
    """A problem with its HTTP status, facts and headers.

    `correlation` is the id under which a defect is logged.
    """

    status: int
    code: int
    message: str
    reason: str
    facts: dict[str, str | int | None] = {}
    headers: Headers = []
    correlation: str | None = None

    def body(self) -> bytes:
        return _encode(self.content())

    def content(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "message": self.message,
            "reason": self.reason,
            **self.facts,
        }


def problem_of(error: Exception, correlation: str | None = None) -> Failure:
    """Return the response to any error; log the error if it is a defect."""
    if isinstance(error, DomainError):
        return _refused(error)
    # A defect: the log gets the details, the client gets the id to find them by.
    if correlation is None:
        correlation = uuid4().hex
    _log.error("request failed", correlation_id=correlation, exc_info=error)
    sentence = f"internal error; the server logged it under the id {correlation}"
    return Failure(500, 50010000, sentence, DEFECT, correlation=correlation)


def _refused(error: DomainError) -> Failure:
    status, code = next(SHAPES[each] for each in type(error).__mro__ if each in SHAPES)
    headers: Headers = []
    if status in (429, 503):
        headers = RETRY_AFTER
    elif status == 401:
        headers = BEARER
    return Failure(status, code, error.sentence, error.code, error.facts, headers)


def allowed_methods(methods: Iterable[str]) -> str:
    """Return the value of `Allow`. HEAD is allowed wherever GET is."""
    every = set(methods)
    return ", ".join(sorted(every | {"HEAD"} if "GET" in every else every))


def _with_head(allow: str) -> str:
    return allowed_methods(allow.replace(" ", "").split(","))


def framework_problem(
    status: int, detail: str, headers: dict[str, str] | None = None
) -> Failure:
    """Return an error of the framework as a problem."""
    code = STATUS_CODES.get(status, 40010000)
    sentence = detail.strip() or HTTPStatus(status).phrase.lower()
    extra: Headers = []
    for name, value in (headers or {}).items():
        text = _with_head(value) if name.lower() == "allow" else value
        extra.append((name.encode(), text.encode()))
    return Failure(status, code, sentence, _word_of(status), headers=extra)


def _word_of(status: int) -> str:
    return re.sub(r"\W+", "-", HTTPStatus(status).phrase.lower())


def reasons() -> list[str]:
    """Return every `reason` that a problem may have, sorted.

    The errors describe themselves, so the list has those of all loaded modules.
    """
    words = {DEFECT, *map(_word_of, STATUS_CODES)}
    kinds: list[type[DomainError]] = [DomainError]
    while kinds:
        kind = kinds.pop()
        words.add(kind.code)
        kinds += kind.__subclasses__()
    return sorted(words)

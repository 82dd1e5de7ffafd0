"""Exception handlers: each error of an ordinary route becomes a problem response."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from api.http.error_responses import Failure, framework_problem, problem_of
from api.http.json_bodies import in_words, one_of, values_of
from api.http.request_context import correlation_in, note_problem
from api.http.request_errors import BadParameter, BodyTooLarge, MalformedBody
from domain.errors import DomainError

AnyRequest = Request[Any, Any, Any]

#: The framework's sentence about a parameter that is missing.
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")
#: The framework's sentence if a client hangs up before the end of the body. The
#: framework has no class for this case and raises a server error.
HUNG_UP = "client disconnected prematurely"


def _response(request: AnyRequest, problem: Failure) -> Response[Any]:
    note_problem(request.scope, problem)
    headers = {name.decode(): value.decode() for name, value in problem.headers}
    return Response(
        problem.content(),
        status_code=problem.status,
        headers=headers,
        media_type="application/json",
    )


def refusal(request: AnyRequest, error: DomainError) -> Response[Any]:
    return _response(request, problem_of(error))


def invalid(request: AnyRequest, error: ValidationException) -> Response[Any]:
    """Answer a path or query parameter that does not fit its type."""
    return _response(request, problem_of(_bad_parameter(request, error)))


class _Misfit(msgspec.Struct):
    """One error in the framework's list."""

    message: str = "is not valid"
    key: str | None = None


def _bad_parameter(request: AnyRequest, error: ValidationException) -> DomainError:
    try:
        misfits = msgspec.convert(error.extra, list[_Misfit])
    except msgspec.ValidationError:
        misfits = []
    if not misfits:
        missing = _MISSING.match(error.detail)
        if missing is not None:
            return BadParameter(f"{missing[1]} is required", missing[1])
        return BadParameter(error.detail)
    if misfits[0].key == "data":
        # The framework reports an empty body under this key.
        return MalformedBody()
    # Every parameter comes in as text, so "got text" would say nothing.
    name, message = misfits[0].key, misfits[0].message.removesuffix(", got `str`")
    fields = request.route_handler.parsed_fn_signature.parameters
    if name in fields and (values := values_of(fields[name].annotation)):
        return BadParameter(f"{name} must be {one_of(values)}", name)
    return BadParameter(f"{name or 'the request'}: {in_words(message)}", name)


def too_large(request: AnyRequest, _: RequestEntityTooLarge) -> Response[Any]:
    """Answer a body above the framework's limit."""
    limit = request.app.request_max_body_size
    assert isinstance(limit, int)
    return _response(request, problem_of(BodyTooLarge(limit)))


def framework(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Answer an unknown path, a method that a path does not have, or a cut-off body."""
    if error.detail == HUNG_UP:
        return refusal(request, MalformedBody())
    if error.status_code >= 500:
        return failure(request, error)
    problem = framework_problem(
        error.status_code, error.detail, dict(error.headers or {})
    )
    return _response(request, problem)


def failure(request: AnyRequest, error: Exception) -> Response[Any]:
    return _response(request, problem_of(error, correlation_in(request.scope)))


EXCEPTION_HANDLERS: Mapping[
    type[Exception], Callable[[AnyRequest, Any], Response[Any]]
] = {
    DomainError: refusal,
    ValidationException: invalid,
    RequestEntityTooLarge: too_large,
    HTTPException: framework,
    Exception: failure,
}

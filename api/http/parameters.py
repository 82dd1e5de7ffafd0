"""Query parameters: the server refuses one that the OpenAPI document does not name.

If the server ignored a misspelled filter, a request to cancel some orders would cancel
all of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from litestar import Litestar, Request
from litestar.openapi.spec import Operation, Parameter

from api.http.request_errors import BadParameter

#: Parameter names by method and path template.
Known: TypeAlias = Mapping[tuple[str, str], frozenset[str]]

#: Every query of a read model accepts these. On a listing, `after` is a time.
FOR_ALL = frozenset({"after", "after_position"})
METHODS = ("GET", "POST", "PATCH", "DELETE")


class UnknownParameter(BadParameter):
    """The request does not accept a parameter of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        accepted = ", ".join(sorted(names))
        super().__init__(
            f"{name} is not a parameter of this request; it accepts: {accepted}", name
        )


def documented_parameters(app: Litestar) -> Known:
    """Return the query parameter names of every operation."""
    names: dict[tuple[str, str], frozenset[str]] = {}
    for path, item in (app.openapi_schema.paths or {}).items():
        for method in METHODS:
            operation: Operation | None = vars(item)[method.lower()]
            if operation is not None:
                names[method, path] = FOR_ALL | _names(operation)
    return names


def _names(operation: Operation) -> set[str]:
    return {
        each.name
        for each in operation.parameters or ()
        if isinstance(each, Parameter) and each.param_in == "query"
    }


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Raise UnknownParameter for the first parameter that the route does not accept.

    A coroutine, although it never waits: the framework would run a plain function in a
    thread.
    """
    parameters = request.query_params
    if not parameters:
        return
    known: Known = request.app.state.parameters
    names = known.get((request.method, request.scope["path_template"]))
    for name in parameters:
        if names is not None and name not in names:
            raise UnknownParameter(name, names)

"""Which parameters a query may have: those that the document names, and no others.

A filter that is misspelled and passed over answers another question than was asked, and
a request to cancel some orders would cancel them all.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from litestar import Litestar, Request
from litestar.openapi.spec import Operation, Parameter

from api.http.request_errors import BadParameter

#: By method and path template.
Known: TypeAlias = Mapping[tuple[str, str], frozenset[str]]

#: What every query from a read model takes, told once for all of them in the document.
FOR_ALL = frozenset({"after"})
METHODS = ("GET", "POST", "PATCH", "DELETE")


def documented(app: Litestar) -> Known:
    """The names of the parameters of every operation."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for path, item in (app.openapi_schema.paths or {}).items():
        for method in METHODS:
            operation: Operation | None = vars(item)[method.lower()]
            if operation is not None:
                found[method, path] = FOR_ALL | _names(operation)
    return found


def _names(operation: Operation) -> set[str]:
    given = [each for each in operation.parameters or () if isinstance(each, Parameter)]
    return {each.name for each in given if each.param_in == "query"}


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Raises BadParameter for the first parameter that its route does not take.

    It waits for nothing; the framework would run any other function in a thread.
    """
    given = request.query_params
    if not given:
        return
    known: Known = request.app.state.parameters
    names = known.get((request.method, request.scope["path_template"]))
    for name in given:
        if names is not None and name not in names:
            taken = ", ".join(sorted(names))
            raise BadParameter(
                f"{name} is not a parameter of this request, which takes: {taken}", name
            )

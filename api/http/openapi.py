"""The OpenAPI document: generated from the routes, with the errors that they share.

Every operation lists the statuses that it can return. One schema describes all errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar._openapi.schema_generation import SchemaCreator
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from api.http.numbers import DIGITS_MAX, Number
from api.http.request_context import KEY_CHARACTERS, KEY_LENGTH_MAX

#: The header with the page token of the rest of a list.
NEXT_PAGE_HEADER = "Bourse-Next-Page"
#: The security requirement of operations for signed-in users.
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
PROBLEM = Reference(ref="#/components/schemas/Problem")

#: Errors of every operation, then those of callers, names, commands and bodies.
ALWAYS = {
    400: "The request is malformed.",
    422: "A parameter is invalid, or the market's terms do not allow the request.",
    500: "Internal error.",
    503: "Temporarily unavailable. Retry after `Retry-After` seconds.",
}
WITH_CALLER = {
    401: "The token is missing, invalid or expired.",
    403: "The caller's roles or funds do not allow the request.",
}
WITH_NAME = {404: "Nothing has this name or id."}
WITH_COMMAND = {
    409: "The name is taken, the key was used with other content, or a condition does "
    "not hold."
}
WITH_BODY = {413: "The body is too large.", 415: "The body is not JSON, or compressed."}

_TEXT = Schema(type=OpenAPIType.STRING)
_REQUEST_ID = Parameter(
    name="X-Request-Id",
    param_in="header",
    description="The client's id for this request. The response returns it, and it "
    "becomes the correlation id of every event of the request. Without it, the "
    "response to a command names the id of the command. The server ignores an id of "
    "more than 128 characters, or with characters other than "
    "`A-Z a-z 0-9 . _ : / + = @ -`.",
    schema=_TEXT,
)
_KEY = Parameter(
    name="Idempotency-Key",
    param_in="header",
    description="A key that the client chooses for this command. If the client sends "
    "the command again with the same key, the server returns its result and does not "
    "carry it out twice. The server never forgets a key that moved money. It forgets "
    "another key after 7 days, or after 2,000,000 later keys of the venue and 1,000 of "
    "the same user; an administrator can change these limits.",
    schema=Schema(
        type=OpenAPIType.STRING,
        min_length=1,
        max_length=KEY_LENGTH_MAX,
        pattern=f"^{KEY_CHARACTERS}+$",
    ),
)
_POSITION = OpenAPIHeader(
    description="The log position of this response. A query may name it as "
    "`after_position`.",
    schema=_TEXT,
)
_NEXT_PAGE = OpenAPIHeader(
    description="The `page_token` of the next page. A response without this header has "
    "the end of the list.",
    schema=_TEXT,
)
_RETRY_AFTER = OpenAPIHeader(
    description="Seconds after which to send the request again.",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=0),
)
_REPLAYED = OpenAPIHeader(
    description="`true` if an earlier request carried out this command.", schema=_TEXT
)


#: One component for all queries.
_AFTER = Parameter(
    name="after_position",
    param_in="query",
    description="A log position from the header `Bourse-Log-Position` of a response. "
    "The query waits until the read model has reached it, or returns 503 after 5 "
    "seconds. A position beyond the head of the log is 422. On routes without times, "
    "`after` means the same.",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=0),
)


@dataclass
class QueryOperation(Operation):
    """An operation that changes nothing."""

    def __post_init__(self) -> None:
        statuses = ALWAYS.copy()
        if self.security:
            statuses |= WITH_CALLER
        if self._has_name():
            statuses |= WITH_NAME
        headers = {NEXT_PAGE_HEADER: _NEXT_PAGE} if self._has_pages() else {}
        self._complete(statuses, **headers)
        if "health" not in (self.tags or ()):
            after = Reference(ref="#/components/parameters/after_position")
            self.parameters = [*(self.parameters or ()), after]

    def _has_name(self) -> bool:
        parameters = self.parameters or ()
        return any(each.required for each in parameters if isinstance(each, Parameter))

    def _has_pages(self) -> bool:
        return any(
            each.name == "page_token"
            for each in self.parameters or ()
            if isinstance(each, Parameter)
        )

    def _complete(self, statuses: dict[int, str], **headers: OpenAPIHeader) -> None:
        responses: dict[str, Any] = dict(self.responses or {})
        # The framework adds its own error form for this status.
        responses.pop("400", None)
        for status, response in responses.items():
            if status.startswith("2"):
                response.headers = {"Bourse-Log-Position": _POSITION, **headers}
            if status == "204":
                response.content = None
        for code, description in sorted(statuses.items()):
            # A response that the route declares takes precedence.
            responses.setdefault(
                str(code),
                OpenAPIResponse(
                    description=description,
                    content={"application/json": OpenAPIMediaType(schema=PROBLEM)},
                    headers={"Retry-After": _RETRY_AFTER} if code == 503 else None,
                ),
            )
        self.responses = responses
        self.parameters = [*(self.parameters or ()), _REQUEST_ID]


@dataclass
class CommandOperation(QueryOperation):
    """An operation that may record something."""

    def __post_init__(self) -> None:
        statuses = ALWAYS | WITH_CALLER | WITH_NAME | WITH_COMMAND | WITH_BODY
        if "201" in (self.responses or {}):
            assert self.responses is not None
            self.responses["200"] = self.responses["201"]
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = not _take_null(self.request_body)
        if not self.security:
            # A key belongs to an actor, and an anonymous client is none.
            self._complete(statuses)
            return
        self._complete(statuses, **{"Idempotent-Replayed": _REPLAYED})
        self.parameters = [*(self.parameters or ()), _KEY]


def _take_null(body: RequestBody) -> bool:
    """Take null out of a body's schema. Return whether it was there.

    The framework marks every body as required, and offers null if it is not. A client
    omits such a body: generators cannot send null and an object by turns.
    """
    content = body.content["application/json"]
    schema = content.schema
    choices = (schema.one_of if isinstance(schema, Schema) else None) or ()
    others = [each for each in choices if each != Schema(type=OpenAPIType.NULL)]
    if len(others) == len(choices):
        return False
    (content.schema,) = others
    return True


class NumberSchema(OpenAPISchemaPlugin):
    """The schema of `Number`: a JSON number, or a string with the same digits."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return value is Number

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        del field_definition, schema_creator
        text = Schema(
            type=OpenAPIType.STRING,
            pattern=rf"^-?[0-9]{{1,{DIGITS_MAX}}}(\.[0-9]{{1,4}})?$",
        )
        return Schema(one_of=[Schema(type=OpenAPIType.NUMBER), text])


def describe_reasons(document: OpenAPI, reasons: Sequence[str]) -> None:
    """Describe the `reason` of a problem by all words that it may be.

    The schema does not restrict the words: a client that was generated from it must
    still read a problem that a later version adds.
    """
    assert document.components.schemas is not None
    properties = document.components.schemas["Problem"].properties or {}
    reason = properties["reason"]
    assert isinstance(reason, Schema)
    words = ", ".join(f"`{each}`" for each in reasons)
    reason.description = (
        f"A stable word for programs. Later versions may add to: {words}."
    )


def _operation_id(handler: HTTPRouteHandler, _method: object, _path: object) -> str:
    """Return the handler's name, which is the name of the function in a client."""
    return handler.handler_name


OPENAPI = OpenAPIConfig(
    title="Bourse",
    version="0.1.0",
    description="A stock exchange with the shapes of Alpaca's trading API v2. Trades "
    "settle at once (T+0). A user's queries reflect the latest command that the same "
    "server answered for that user. To see a command that another user or another "
    "server carried out, pass its log position as `after_position`; every query "
    "of the read models accepts it. On any path the server may refuse a request "
    "with 408, 414 or 431, or a connection with 429 or 503, in the form "
    "`#/components/schemas/Problem`; it then closes the connection. Queries with large "
    "responses are compressed with gzip if `Accept-Encoding` allows it.",
    use_handler_docstrings=True,
    operation_id_creator=_operation_id,
    components=Components(
        parameters={"after_position": _AFTER},
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
        },
    ),
    render_plugins=[JsonRenderPlugin(media_type=MediaType.JSON)],
)

"""The OpenAPI document: made from the routes, with the failures that all of them share.

Every operation names the statuses that it can answer with, and one schema tells what a
failure looks like.
"""

from dataclasses import dataclass
from typing import Any

from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
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

#: What an operation needs that is for signed-in users.
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
PROBLEM = Reference(ref="#/components/schemas/Problem")

#: What can go wrong with anything, with a caller, with a name, and with a body.
ALWAYS = {
    400: "not a request",
    422: "a parameter is wrong, or the market's terms refuse it",
    500: "a defect",
    503: "not just now: ask again after `Retry-After` seconds",
}
WITH_CALLER = {401: "no token, or not a valid one", 403: "not allowed, or not covered"}
WITH_NAME = {404: "nothing of that name"}
WITH_COMMAND = {409: "taken, or used before for something else"}
WITH_BODY = {413: "the body is too large", 415: "the body is not JSON"}

_TEXT = Schema(type=OpenAPIType.STRING)
_REQUEST_ID = Parameter(
    name="X-Request-Id",
    param_in="header",
    description="Comes back in the answer, and is the correlation id of what the "
    "request sets off. One that is long or has odd characters is passed over.",
    schema=_TEXT,
)
_KEY = Parameter(
    name="Idempotency-Key",
    param_in="header",
    description="Makes the command once: sent again with the same key, it gets the "
    "first answer.",
    schema=Schema(
        type=OpenAPIType.STRING,
        min_length=1,
        max_length=KEY_LENGTH_MAX,
        pattern=f"^{KEY_CHARACTERS}+$",
    ),
)
_POSITION = OpenAPIHeader(
    description="The log position that the answer shows, for a query's `after`.",
    schema=_TEXT,
)
_REPLAYED = OpenAPIHeader(
    description="`true` where the command was carried out before.", schema=_TEXT
)


#: Told once for all queries. As a parameter of each it would tell nothing more, and
#: whoever tries out the document would wait five seconds for every number they make up.
_AFTER = Parameter(
    name="after",
    param_in="query",
    description="A log position, as a command's answer has it in the header "
    "Bourse-Log-Position. The query waits until it shows that command; 503 where that "
    "takes more than 5 seconds.",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=0),
)


@dataclass
class Query(Operation):
    """An operation that changes nothing."""

    def __post_init__(self) -> None:
        statuses = ALWAYS.copy()
        if self.security:
            statuses |= WITH_CALLER
        if self._has_name():
            statuses |= WITH_NAME
        self._complete(statuses)

    def _has_name(self) -> bool:
        given = [each for each in self.parameters or () if isinstance(each, Parameter)]
        return any(each.required for each in given)

    def _complete(self, statuses: dict[int, str], **headers: OpenAPIHeader) -> None:
        responses: dict[str, Any] = dict(self.responses or {})
        # The framework adds one of these by itself, in a form that is not ours.
        responses.pop("400", None)
        for status, response in responses.items():
            if status.startswith("2"):
                response.headers = {"Bourse-Log-Position": _POSITION, **headers}
        for code, description in sorted(statuses.items()):
            # Where a route says itself what it answers then, that holds.
            responses.setdefault(
                str(code),
                OpenAPIResponse(
                    description=description,
                    content={"application/json": OpenAPIMediaType(schema=PROBLEM)},
                ),
            )
        self.responses = responses
        self.parameters = [*(self.parameters or ()), _REQUEST_ID]


@dataclass
class Command(Query):
    """An operation that may record something."""

    def __post_init__(self) -> None:
        statuses = ALWAYS | WITH_CALLER | WITH_NAME | WITH_COMMAND | WITH_BODY
        if "201" in (self.responses or {}):
            assert self.responses is not None
            self.responses["200"] = self.responses["201"]
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = not _may_be_null(self.request_body)
        if not self.security:
            # A key makes a command once for its actor, and there is none yet.
            self._complete(statuses)
            return
        self._complete(statuses, **{"Idempotent-Replayed": _REPLAYED})
        self.parameters = [*(self.parameters or ()), _KEY]


def _may_be_null(body: RequestBody) -> bool:
    """Whether a body may be left out, which the framework says of none."""
    schema = body.content["application/json"].schema
    choices = schema.one_of if isinstance(schema, Schema) else None
    return Schema(type=OpenAPIType.NULL) in (choices or ())


class NumberSchema(OpenAPISchemaPlugin):
    """Amounts come as JSON numbers or as texts, and every digit counts."""

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


OPENAPI = OpenAPIConfig(
    title="Bourse",
    version="0.1.0",
    description="An exchange, spoken to in the shape of Alpaca's trading API v2. "
    "Trades settle at once (T+0). A user's queries show what the same server has "
    "answered that user; to read what somebody else has written, every query that "
    "answers from the read models takes `#/components/parameters/after`.",
    use_handler_docstrings=True,
    components=Components(
        parameters={"after": _AFTER},
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
        },
    ),
    render_plugins=[JsonRenderPlugin()],
)

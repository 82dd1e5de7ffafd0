"""Bare routes: ASGI callables for the few routes with the most traffic.

The router and the OpenAPI document list a bare route like any other: its handler
declares path, method and schema, but never runs. A middleware answers instead of the
handler, because the framework's own request handling costs several times as much as
the order. For a path without parameters the application skips the router too.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TypeAlias, cast

import msgspec
from litestar import Litestar
from litestar.types import (
    ASGIApp,
    HTTPResponseStartEvent,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)
from structlog.contextvars import bound_contextvars

from api.http.error_responses import JSON, problem_of
from api.http.json_bodies import MEDIA_TYPE, check_encoding, is_json
from api.http.request_context import (
    REQUEST_ID,
    Observe,
    correlation_in,
    ignore,
    note_client_id,
    note_problem,
)
from api.http.request_errors import BodyTooLarge, MalformedBody, WrongMediaType
from domain.ids import LogPosition

HeaderMap: TypeAlias = dict[bytes, bytes]

_JSON = JSON[0]
_REPLAYED = (b"idempotent-replayed", b"true")


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A successful response, and the log position that it shows, if any."""

    body: bytes
    position: LogPosition | None
    repeated: bool = False
    status: int = 200


class BareRequest(msgspec.Struct, frozen=True, gc=False):
    """One request."""

    scope: Scope
    headers: HeaderMap
    receive: Receive

    async def body(self, limit: int) -> bytes:
        """Return the whole body; its media type must be JSON.

        Raises:
            BodyTooLarge, EncodedBody, MalformedBody, WrongMediaType
        """
        headers = self.headers
        media_type = headers.get(b"content-type", MEDIA_TYPE)
        if media_type != MEDIA_TYPE and not is_json(media_type):
            raise WrongMediaType
        if b"content-encoding" in headers:
            check_encoding(headers)
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > limit:
            raise BodyTooLarge(limit)
        message = await self.receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                # The bytes so far may form an order, but the client did not finish.
                raise MalformedBody
            body += message.get("body", b"")
            if len(body) > limit:
                raise BodyTooLarge(limit)
        return body


class NeverRun(AssertionError):
    """The framework called the handler of a bare route: its middleware is missing."""


class BareRoute(ABC):
    """An ASGI callable that sends the reply or the error of `answer`."""

    @abstractmethod
    async def answer(self, request: BareRequest) -> Reply: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.serve(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Send the reply or the error, and return its status."""
        headers: HeaderMap = dict(scope["headers"])
        if REQUEST_ID in headers:
            note_client_id(scope, headers[REQUEST_ID])
        try:
            reply = await self.answer(BareRequest(scope, headers, receive))
            status, body = reply.status, reply.body
            out = [
                _JSON,
                (b"content-length", b"%d" % len(body)),
            ]
            if reply.position is not None:
                out.append((b"bourse-log-position", b"%d" % reply.position))
            if reply.repeated:
                out.append(_REPLAYED)
        except Exception as error:  # noqa: BLE001 - the top loop of a request
            problem = problem_of(error, correlation_in(scope))
            note_problem(scope, problem)
            status, body = problem.status, problem.body()
            out = [_JSON, (b"content-length", b"%d" % len(body)), *problem.headers]
        correlation = correlation_in(scope)
        if correlation is not None:
            out.append((REQUEST_ID, correlation.encode()))
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return status


class Application(Litestar):
    """A Litestar application that looks up bare routes before it asks the router.

    The key of `bare` is method and path. Another spelling of the path (a doubled slash)
    passes through the router, where the same route runs as a middleware.
    """

    bare: Mapping[tuple[str, str], BareRoute] = {}
    observe: Observe = staticmethod(ignore)

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        began = perf_counter()
        method, path = scope["method"], scope["path"]
        route = self.bare.get((method, path))
        if route is None:
            await self._route(scope, method, cast(Receive, receive), cast(Send, send))
            return
        status = await route.serve(scope, cast(Receive, receive), cast(Send, send))
        self.observe(scope, path, method, status, perf_counter() - began)

    async def _route(
        self, scope: Scope, method: str, receive: Receive, send: Send
    ) -> None:
        """Let the router answer. HEAD is answered as GET, without the body."""
        began = perf_counter()
        is_head = method == "HEAD"
        if is_head:
            scope = cast(Scope, {**scope, "method": "GET"})
        status = 0
        for name, value in scope["headers"]:
            if name == REQUEST_ID:
                note_client_id(scope, value)

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_correlation(message, correlation_in(scope))
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        client_id = correlation_in(scope)
        if client_id is None:
            await super().__call__(scope, receive, watched_send)
        else:
            with bound_contextvars(correlation_id=client_id):
                await super().__call__(scope, receive, watched_send)
        template = scope.get("path_template")
        self.observe(scope, template, method, status, perf_counter() - began)


def _add_correlation(message: HTTPResponseStartEvent, correlation: str | None) -> None:
    if correlation is not None:
        headers = message["headers"]
        # A bare route that the router runs has added it.
        if all(name != REQUEST_ID for name, _ in headers):
            message["headers"] = [*headers, (REQUEST_ID, correlation.encode())]


def in_place_of_handler(route: BareRoute) -> Callable[..., ASGIApp]:
    """Return a middleware that runs the route and never calls the handler."""

    def middleware(app: ASGIApp) -> ASGIApp:
        del app
        return route

    return middleware

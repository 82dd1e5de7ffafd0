"""The few hot routes: an ordinary entry in the router and the OpenAPI document, with
its own way from the request's bytes to the answer's.

A hot route is a middleware of its handler that never calls on. The handler gives path,
method and schema to the framework and is never run; what would run in its place costs
several times as much as the order itself. Where the path holds no parameter, the
application goes to it directly.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

import msgspec
from litestar import Litestar
from litestar.types import (
    ASGIApp,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Receive,
    Scope,
    Send,
)

from api.http.error_responses import JSON, problem_of
from api.http.json_bodies import MEDIA_TYPE, is_json
from api.http.request_context import correlation_of
from api.http.request_errors import BodyTooLarge, MalformedBody, WrongMediaType
from domain.ids import LogPosition

HeaderMap: TypeAlias = dict[bytes, bytes]

_JSON = JSON[0]
_REPLAYED = (b"idempotent-replayed", b"true")


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A successful answer, and the log position that it shows, if any."""

    body: bytes
    position: LogPosition | None
    repeated: bool = False
    status: int = 200


class HotRequest(msgspec.Struct, frozen=True, gc=False):
    """One request. `correlation` is the id that its sender gave it."""

    scope: Scope
    headers: HeaderMap
    receive: Receive
    correlation: str | None

    async def body(self, limit: int) -> bytes:
        """The whole body, which must be JSON by its media type.

        Raises:
            BodyTooLarge, MalformedBody, WrongMediaType
        """
        headers = self.headers
        media_type = headers.get(b"content-type", MEDIA_TYPE)
        if media_type != MEDIA_TYPE and not is_json(media_type):
            raise WrongMediaType
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > limit:
            raise BodyTooLarge(limit)
        message = await self.receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                # What came may be a whole order all the same. Its sender did not end.
                raise MalformedBody
            body += message.get("body", b"")
            if len(body) > limit:
                raise BodyTooLarge(limit)
        return body


class NeverRun(AssertionError):
    """The handler of a hot route was called: its middleware is not in place."""


class HotRoute(ABC):
    """What all hot routes do alike; a subclass says what it answers."""

    @abstractmethod
    async def answer(self, request: HotRequest) -> Reply: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: HeaderMap = dict(scope["headers"])
        correlation = None
        if b"x-request-id" in headers:
            correlation = correlation_of(headers)
        try:
            reply = await self.answer(HotRequest(scope, headers, receive, correlation))
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
            problem = problem_of(error, correlation)
            status, body = problem.status, problem.body()
            out = [_JSON, (b"content-length", b"%d" % len(body)), *problem.headers]
        if correlation is not None:
            out.append((b"x-request-id", correlation.encode()))
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class Application(Litestar):
    """Litestar, but that the hot routes are found by one look-up, before its router.

    `hot` is by method and path. Any other spelling of a path (a doubled slash) goes the
    long way round and meets the same route as a middleware.
    """

    hot: Mapping[tuple[str, str], HotRoute] = {}

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        if scope["type"] == "http":
            route = self.hot.get((scope["method"], scope["path"]))
            if route is not None:
                await route(scope, cast(Receive, receive), cast(Send, send))
                return
        await super().__call__(scope, receive, send)


def in_place_of_handler(route: HotRoute) -> Callable[..., ASGIApp]:
    """The middleware that a hot route is: `app`, the handler, is never called."""

    def middleware(app: ASGIApp) -> ASGIApp:
        del app
        return route

    return middleware

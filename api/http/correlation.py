"""The correlation id of a request: in its response and in its log lines."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.http.request_context import correlation_of, note_correlation

HEADER = b"x-request-id"


def with_correlation(app: ASGIApp) -> ASGIApp:
    """Return the client's request id in the response; add it to every log line."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        correlation = correlation_of(dict(scope["headers"]))
        if correlation is None:
            await app(scope, receive, send)
            return
        note_correlation(scope, correlation)
        echo = (HEADER, correlation.encode())

        async def send_back(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], echo]
            await send(message)

        with bound_contextvars(correlation_id=correlation):
            await app(scope, receive, send_back)

    return middleware

"""Compresses large responses, if the client accepts it.

The level is the fastest: the largest answer, 500 orders in 400 KB, takes 1.3 ms of the
event loop and shrinks to a tenth. The best level would take 6.6 ms for a twelfth.
"""

import zlib

from litestar.types import (
    ASGIApp,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Message,
    Receive,
    Scope,
    Send,
)

#: A smaller response takes one packet either way.
SIZE_MIN = 1_400
LEVEL = 1
#: zlib's code for the gzip format.
GZIP = 31

_ENCODED = (b"content-encoding", b"gzip")
_VARIES = (b"vary", b"Accept-Encoding")
#: An entity tag names the bytes of a response, so these must stay.
_KEPT = {b"content-encoding", b"etag"}


def compressing(app: ASGIApp) -> ASGIApp:
    """Send large responses of an application in gzip to clients that accept it."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        start: HTTPResponseStartEvent | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                # The size of the body decides about the headers.
                start = message
                return
            if start is not None and message["type"] == "http.response.body":
                if len(message["body"]) >= SIZE_MIN and not message["more_body"]:
                    _compress(scope, start, message)
                await send(start)
                start = None
            await send(message)

        await app(scope, receive, send_compressed)

    return middleware


def _compress(
    scope: Scope, start: HTTPResponseStartEvent, message: HTTPResponseBodyEvent
) -> None:
    headers = list(start["headers"])
    if _KEPT.intersection(name.lower() for name, _ in headers):
        return
    # For every client: a cache must not give one the answer of another.
    headers.append(_VARIES)
    if any(
        name == b"accept-encoding" and accepts_gzip(value)
        for name, value in scope["headers"]
    ):
        compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        body = compressor.compress(message["body"]) + compressor.flush()
        message["body"] = body
        headers = [each for each in headers if each[0].lower() != b"content-length"]
        headers += [_ENCODED, (b"content-length", b"%d" % len(body))]
    start["headers"] = headers


def accepts_gzip(value: bytes) -> bool:
    """Return whether a value of `Accept-Encoding` allows gzip.

    >>> [accepts_gzip(each) for each in (b"br, GZIP", b"*", b"gzip;q=0.5, *;q=0")]
    [True, True, True]
    >>> [accepts_gzip(each) for each in (b"", b"br", b"gzip; q=0.0, *", b"xgzip")]
    [False, False, False, False]
    """
    accepted: dict[bytes, bool] = {}
    for part in value.lower().split(b","):
        name, _, weight = part.partition(b";")
        quality = weight.partition(b"=")[2].strip()
        accepted[name.strip()] = not quality or bool(quality.strip(b"0."))
    return accepted.get(b"gzip", accepted.get(b"*", False))

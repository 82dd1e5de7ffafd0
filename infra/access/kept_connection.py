"""One HTTP connection that stays open between requests.

This uses the transport of httpx without its client: the command line wants no cookies,
no redirects and no proxies, and the transport alone takes half the time.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

ANSWER_SECONDS = 60.0
#: A server closes a connection that is idle for long. We close ours earlier, so that no
#: request meets a connection that the server is closing.
IDLE_SECONDS = 3.0

_SCHEMES = ("http", "https")
_TIMEOUT = {"timeout": httpx.Timeout(ANSWER_SECONDS).as_dict()}
#: httpx raises these if the server closes the connection during a request.
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class KeptConnection:
    """A connection to one server. The first request opens it.

    Raises:
        ValueError: `base_url` is not the address of an HTTP server.
    """

    def __init__(self, base_url: str) -> None:
        self._base = _address(base_url)
        self._base_path = self._base.raw_path.rstrip(b"/")
        self._answered = False
        # Loading the system's certificate authorities takes 60 ms; HTTP needs none.
        secure = self._base.scheme == "https"
        self._transport = httpx.HTTPTransport(
            verify=ssl.create_default_context() if secure else False,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS),
        )

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[bytes, bytes],
        content: bytes | None,
        *,
        repeatable: bool,
    ) -> httpx.Response:
        """Send a request and return the whole response.

        The transport does not use a connection that the server has closed. The server
        may still close an open connection while the request is on its way. Then this
        sends a `repeatable` request again, once, on a new connection.

        Raises:
            ConnectionError: the server did not respond.
        """
        request = httpx.Request(
            method,
            self._base.copy_with(raw_path=self._base_path + path.encode("ascii")),
            headers=headers,
            content=content,
            extensions=_TIMEOUT,
        )
        try:
            if self._answered and repeatable:
                with suppress(*_BROKEN):
                    return self._response(request)
            return self._response(request)
        except httpx.TimeoutException as reason:
            sentence = f"no answer in {ANSWER_SECONDS:.0f} seconds"
            raise ConnectionError(sentence) from reason
        except httpx.RequestError as reason:
            raise ConnectionError(f"{reason}" or type(reason).__name__) from reason

    def _response(self, request: httpx.Request) -> httpx.Response:
        self._answered = False
        response = self._transport.handle_request(request)
        response.read()
        self._answered = True
        return response

    def close(self) -> None:
        self._transport.close()


def _address(base_url: str) -> httpx.URL:
    parts = urlsplit(base_url)
    # Reading `port` checks it.
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.port == 0:
        raise ValueError(base_url)
    # Without this, an invalid name would fail only at its resolution.
    parts.hostname.encode("idna")
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as reason:
        raise ValueError(base_url) from reason
    if b"%" in url.raw_host:
        # httpx quotes characters that no host name may have, such as a space.
        raise ValueError(base_url)
    return url.copy_with(query=None, fragment=None)

"""The command line's client of a running server: JSON on one open connection."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec

from api.wire.order import POSITION_HEADER
from domain.ids import LogPosition

T = TypeVar("T")


class ServerUnreachable(Exception):
    """No server of Bourse answers at the address, or not in time."""

    code = "server-unreachable"


class ServerRefused(Exception):
    """The server answered with an error."""

    code = "server-refused"

    def __init__(self, what: str, answer: "ServerAnswer") -> None:
        super().__init__(f"{what}: {answer.status} {answer.message}")
        self.answer = answer


class _Problem(msgspec.Struct):
    message: str = ""


class ServerAnswer(msgspec.Struct, frozen=True):
    """The server's response. `position` is the log position of a command's facts."""

    status: int
    position: LogPosition
    body: bytes

    def read(self, body_type: type[T]) -> T:
        """Decode the body.

        Raises:
            ServerUnreachable: the body has another shape; this is not our server.
        """
        try:
            return msgspec.json.decode(self.body, type=body_type)
        except msgspec.MsgspecError as reason:
            raise ServerUnreachable(
                f"the program that answers is no server of Bourse: {reason}"
            ) from reason

    @property
    def message(self) -> str:
        """Return the sentence of an error."""
        try:
            return msgspec.json.decode(self.body, type=_Problem).message
        except msgspec.MsgspecError:
            return self.body[:200].decode(errors="replace")


class ServerClient:
    """A connection to a server, for one user."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        # Importing httpx takes 30 ms, and most commands call no server.
        from infra.access.kept_connection import KeptConnection

        self.base_url = base_url
        self.token = token
        try:
            self._connection = KeptConnection(base_url)
        except ValueError as reason:
            raise ServerUnreachable(
                f"{base_url} is not an address like http://host:8000"
            ) from reason

    def call(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | Mapping[str, object] | None = None,
        *,
        key: str | None = None,
    ) -> ServerAnswer:
        """Send a request and return the answer, whatever its status.

        The server carries out a command once, however often the client sends it with
        one `key`. If the server closes the open connection during a request, the
        client repeats a query, or a command with a key, and nothing else.

        Raises:
            ServerUnreachable: the server did not answer.
        """
        headers: dict[bytes, bytes] = {}
        if self.token:
            headers[b"Authorization"] = f"Bearer {self.token}".encode()
        if key is not None:
            headers[b"Idempotency-Key"] = key.encode()
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers[b"Content-Type"] = b"application/json"
        repeatable = method == "GET" or key is not None
        try:
            response = self._connection.send(
                method, path, headers, content, repeatable=repeatable
            )
        except ConnectionError as reason:
            raise ServerUnreachable(
                f"{self.base_url} does not answer: {reason}"
            ) from reason
        position = LogPosition(response.headers.get(POSITION_HEADER) or 0)
        return ServerAnswer(response.status_code, position, response.content)

    def ask(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | Mapping[str, object] | None = None,
    ) -> ServerAnswer:
        """Send a request that must succeed.

        Raises:
            ServerRefused, ServerUnreachable: the request failed.
        """
        answer = self.call(method, path, body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ServerRefused(f"{method} {path}", answer)
        return answer

    def close(self) -> None:
        self._connection.close()

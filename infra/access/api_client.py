"""How the command line talks to a running server: one kept connection, JSON."""

import http.client
import select
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from api.wire.order import POSITION_HEADER
from domain.ids import LogPosition

T = TypeVar("T")
ANSWER_SECONDS = 60.0
_KINDS = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


class ServerUnreachable(Exception):
    """No Bourse answers at the address, or not in time."""

    code = "server-unreachable"


class ServerRefused(Exception):
    """The server answered with an error."""

    code = "server-refused"

    def __init__(self, what: str, answer: "Answer") -> None:
        super().__init__(f"{what}: {answer.status} {answer.message}")
        self.answer = answer


class _Problem(msgspec.Struct):
    message: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What the server said. `position` is the log position of a command's facts."""

    status: int
    position: LogPosition
    body: bytes

    def read(self, body_type: type[T]) -> T:
        """What was asked for.

        Raises:
            ServerUnreachable: whoever answered is no Bourse.
        """
        try:
            return msgspec.json.decode(self.body, type=body_type)
        except msgspec.MsgspecError as reason:
            raise ServerUnreachable(
                f"what answers there is no server of Bourse: {reason}"
            ) from reason

    @property
    def message(self) -> str:
        """The sentence of an error."""
        try:
            return msgspec.json.decode(self.body, type=_Problem).message
        except msgspec.MsgspecError:
            return self.body[:200].decode(errors="replace")


class ServerClient:
    """A connection to a server, as one user."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url
        try:
            self._connection, self._path = _taken_apart(base_url)
        except (ValueError, http.client.InvalidURL) as reason:
            raise ServerUnreachable(
                f"{base_url} is no address like http://host:8000"
            ) from reason
        self.token = token

    def call(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | Mapping[str, object] | None = None,
        *,
        key: str | None = None,
    ) -> Answer:
        """Ask, and take any answer. Under one `key` a command is carried out once.

        Raises:
            ServerUnreachable: there was none.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        connection = self._connection
        if self._was_closed():
            connection.close()
        try:
            connection.request(method, self._path + path, content, headers)
            response = connection.getresponse()
            answered = response.read()
        except (OSError, http.client.HTTPException) as reason:
            connection.close()
            raise ServerUnreachable(
                f"{self.base_url} does not answer: {_told(reason)}"
            ) from reason
        position = response.headers.get(POSITION_HEADER)
        return Answer(response.status, int(position or 0), answered)

    def _was_closed(self) -> bool:
        """Whether the server has closed the connection, as it does to an idle one.

        Nothing is due between two requests: what can be read is the end.
        """
        sock = self._connection.sock
        return sock is not None and bool(select.select([sock], [], [], 0)[0])

    def ask(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | Mapping[str, object] | None = None,
    ) -> Answer:
        """Ask for something that must be granted.

        Raises:
            ServerRefused, ServerUnreachable: it was not.
        """
        answer = self.call(method, path, body)
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ServerRefused(f"{method} {path}", answer)
        return answer

    def close(self) -> None:
        self._connection.close()


def _taken_apart(base_url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is still to be made, and where all paths begin.

    Raises:
        ValueError, InvalidURL: this is no address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in _KINDS or not parts.hostname:
        raise ValueError(base_url)
    # The system would find out only when it looks for it that no host is named so.
    host = parts.hostname.encode("idna").decode()
    connection = _KINDS[parts.scheme](host, parts.port, timeout=ANSWER_SECONDS)
    return connection, quote(parts.path.rstrip("/"), safe="/%")


def _told(reason: Exception) -> str:
    if isinstance(reason, TimeoutError):
        return f"no answer in {ANSWER_SECONDS:.0f} seconds"
    return str(reason) or type(reason).__name__

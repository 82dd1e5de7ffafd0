"""The command line's client gets along with well-behaved and broken servers."""

import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager

import httpx
import pytest

from infra.access import kept_connection
from infra.access.api_client import ServerClient, ServerRefused, ServerUnreachable


def answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Bourse-Log-Position: 7\r\n\r\n".encode() + body


#: A test fails after this time if the client does not follow the script.
PATIENCE_SECONDS = 10.0
OK = answer("200 OK", b"{}")
REFUSED = answer("403 Forbidden", b'{"code":1,"message":"no, not you"}')


class Server:
    """A server that plays a script: for each connection the answers, in order.

    After its last answer, or on an answer of None, the server closes the connection.
    """

    def __init__(self, *script: Sequence[bytes | None]) -> None:
        self.requests: list[bytes] = []
        self.closed = threading.Event()
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_SECONDS)
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for answers in self._script:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(PATIENCE_SECONDS)
                for each in answers:
                    request = request_of(connection)
                    if not request:
                        break
                    self.requests.append(request)
                    if each is not None:
                        connection.sendall(each)
            self.closed.set()


def request_of(connection: socket.socket) -> bytes:
    """Read a request with an empty JSON object as its body, or nothing at the end."""
    received = connection.recv(65_536)
    while received and b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    if b"Content-Length: 2\r\n" in received and not received.endswith(b"{}"):
        received += connection.recv(65_536)
    return received


@contextmanager
def client_of(server: Server) -> Generator[ServerClient]:
    client = ServerClient(server.url, "token-1")
    try:
        yield client
    finally:
        client.close()


def test_requests_share_one_connection():
    with Server([OK, OK]) as server, client_of(server) as client:
        first = client.ask("GET", "/x?y=%20z")
        second = client.ask("POST", "/", {})

    assert (first.position, second.position) == (7, 7)
    assert server.requests[0].startswith(b"GET /x?y=%20z HTTP/1.1\r\n")
    assert b"Authorization: Bearer token-1\r\n" in server.requests[0]
    assert b"Content-Type: application/json\r\n" in server.requests[1]


def test_a_command_does_not_go_to_a_connection_that_the_server_closed():
    with Server([OK], [OK]) as server, client_of(server) as client:
        client.ask("GET", "/")
        assert server.closed.wait(PATIENCE_SECONDS)
        second = client.ask("POST", "/", {})

    assert second.position == 7
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("method", "key"), [("GET", None), ("POST", "key-1"), ("DELETE", "key-1")]
)
def test_what_may_be_repeated_survives_a_connection_that_breaks_under_it(
    method: str, key: str | None
):
    with Server([OK, None], [OK]) as server, client_of(server) as client:
        client.ask("GET", "/")
        second = client.call(method, "/", key=key)

    assert second.status == 200
    assert len(server.requests) == 3
    assert server.requests[1] == server.requests[2]


def test_a_command_without_a_key_is_not_sent_twice():
    with Server([OK, None], [OK]) as server, client_of(server) as client:
        client.ask("GET", "/")
        with pytest.raises(ServerUnreachable, match="does not answer: Server disconn"):
            client.call("POST", "/", {})
        connect_and_leave(server)

    assert len(server.requests) == 2


def test_a_new_connection_that_breaks_is_not_tried_again():
    with Server([None], [OK]) as server, client_of(server) as client:
        with pytest.raises(ServerUnreachable, match="does not answer: Server disconn"):
            client.call("GET", "/")
        connect_and_leave(server)

    assert len(server.requests) == 1


def connect_and_leave(server: Server) -> None:
    """Use up the connection that a second attempt of the client would take."""
    port = int(server.url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()


def test_an_address_where_nothing_listens_is_unreachable():
    server = Server()
    with server:
        client = ServerClient(server.url)
    with pytest.raises(ServerUnreachable, match=r"does not answer: .*refused"):
        client.call("GET", "/")
    client.close()


def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with Server([OK]) as server, client_of(server) as client:
        assert client.ask("GET", "/").status == 200


def test_no_answer_in_time_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    at_once = {"timeout": httpx.Timeout(0.05).as_dict()}
    monkeypatch.setattr(kept_connection, "_TIMEOUT", at_once)

    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        closing(ServerClient(f"http://127.0.0.1:{silent.getsockname()[1]}")) as client,
        pytest.raises(ServerUnreachable, match="no answer in 60 seconds"),
    ):
        client.call("GET", "/")


def test_an_error_is_raised_with_the_servers_sentence():
    with (
        Server([REFUSED]) as server,
        client_of(server) as client,
        pytest.raises(ServerRefused, match="GET /x: 403 no, not you"),
    ):
        client.ask("GET", "/x")


def test_what_does_not_speak_http_is_unreachable():
    with (
        Server([b"SSH-2.0-nothing\r\n"]) as server,
        client_of(server) as client,
        pytest.raises(ServerUnreachable, match="does not answer"),
    ):
        client.call("GET", "/")


def test_an_answer_of_something_else_than_bourse_is_unreachable():
    page = answer("200 OK", b"<html>It works!</html>")
    with Server([page]) as server, client_of(server) as client:
        answered = client.ask("GET", "/v2/audit/state")

    with pytest.raises(ServerUnreachable, match="no server of Bourse"):
        answered.read(list[str])


def test_a_command_line_that_asks_no_server_does_not_load_httpx():
    loaded = "import sys, infra.cli.commands; sys.exit('httpx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http://localhost:abc",
        "http://localhost:99999",
        "http://[::1",
        "http://local host",
        "http://a..b",
        "http://localhost:0",
        "http://ｅｘ.%00",
        "",
    ],
)
def test_what_is_not_an_address_is_unreachable(address: str):
    with pytest.raises(ServerUnreachable, match="is not an address like"):
        ServerClient(address)

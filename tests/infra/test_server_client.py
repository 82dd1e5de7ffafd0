"""How the command line's client behaves towards servers of all manners."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from infra.access.api_client import ServerClient, ServerRefused, ServerUnreachable


def answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Bourse-Log-Position: 7\r\n\r\n".encode() + body


OK = answer("200 OK", b"{}")
REFUSED = answer("403 Forbidden", b'{"code":1,"message":"no, not you"}')


@contextmanager
def answering(*answers: bytes, closed: threading.Event | None = None) -> Generator[str]:
    """A server that gives one answer to each connection, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for each in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(each)
                if closed is not None:
                    closed.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_connection_that_the_server_closed_is_made_anew():
    closed = threading.Event()
    with answering(OK, OK, closed=closed) as url:
        client = ServerClient(url)
        first = client.ask("GET", "/")
        assert closed.wait(10)
        second = client.ask("GET", "/")
        client.close()

    assert (first.position, second.position) == (7, 7)


def test_an_error_is_told_with_the_servers_sentence():
    with answering(REFUSED) as url:
        client = ServerClient(url)
        with pytest.raises(ServerRefused, match="GET /x: 403 no, not you"):
            client.ask("GET", "/x")
        client.close()


def test_what_does_not_speak_http_is_unreachable():
    with answering(b"SSH-2.0-nothing\r\n") as url:
        client = ServerClient(url)
        with pytest.raises(ServerUnreachable, match="does not answer"):
            client.call("GET", "/")
        client.close()


def test_an_answer_of_something_else_than_bourse_is_told():
    with answering(answer("200 OK", b"<html>It works!</html>")) as url:
        client = ServerClient(url)
        found = client.ask("GET", "/v2/audit/state")
        client.close()

    with pytest.raises(ServerUnreachable, match="no server of Bourse"):
        found.read(list[str])


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
    ],
)
def test_what_is_no_address_is_told(address: str):
    with pytest.raises(ServerUnreachable, match="is no address like"):
        ServerClient(address)

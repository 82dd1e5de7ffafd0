"""What a replay sends again, because it was asked to, is carried out once."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from infra.access.api_client import ServerClient
from infra.replay.http import HttpReplay
from infra.replay.orderflow import Cancel, New, Step

STEPS: list[tuple[int, Step]] = [(1, New(7, 1, 990_000, 100)), (2, Cancel(7))]


class Handler(BaseHTTPRequestHandler):
    """Takes an order, and cancels it though it cannot say so at the first time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b'{"id":"order-1"}')

    def do_DELETE(self) -> None:
        server = self.server
        assert isinstance(server, CancelsUnheard)
        server.keys.append(self.headers["Idempotency-Key"])
        if len(server.keys) == 1:
            self._answer(503, b'{"message":"commit-failed"}')
        elif server.keys[0] is not None and len(set(server.keys)) == 1:
            self._answer(204, b"")
        else:
            self._answer(422, b'{"message":"order is already in canceled state"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: standard error is for what goes wrong."""


class CancelsUnheard(HTTPServer):
    """A server whose commit got no answer just as it canceled an order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys: list[str | None] = []


@contextmanager
def serving(server: CancelsUnheard) -> Generator[str]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_cancel_that_got_no_answer_is_sent_again_under_its_key():
    server = CancelsUnheard()
    with serving(server) as url:
        replay = HttpReplay(ServerClient(url), "ACME", 1)
        replay.send(STEPS, lambda _: None)
        replay.close()

    assert replay.score.mismatches == []
    assert len(server.keys) == 2

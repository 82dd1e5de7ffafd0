"""What a replay sends again, because the server asks for it, is carried out once."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from infra.access.api_client import ServerClient
from infra.replay.driver import Driver
from infra.replay.http_venue import HttpVenue
from infra.replay.orderflow import Cancel, New, Step

STEPS: list[tuple[int, Step]] = [(1, New(7, 1, 990_000, 100)), (2, Cancel(7))]
TWO_ORDERS: list[tuple[int, Step]] = [
    (1, New(7, 1, 990_000, 100)),
    (2, New(8, 1, 990_000, 100)),
]


def placed(number: int) -> bytes:
    """Return an order that rests, with the message of a refusal."""
    return (
        b'{"id":"order-%d","status":"new","qty":"10","filled_qty":"0",'
        b'"message":"busy"}' % number
    )


class Handler(BaseHTTPRequestHandler):
    """Takes orders and cancels them, but fails to answer that at the first time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, UnheardCommits)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v2/orders":
            self._answer(200, placed(1))
            return
        server.batches.append(body)
        second = 503 if len(server.batches) == 1 else 200
        self._answer(
            207,
            b'[{"status":200,"body":%s},{"status":%d,"body":%s}]'
            % (placed(1), second, placed(2)),
        )

    def do_DELETE(self) -> None:
        server = self.server
        assert isinstance(server, UnheardCommits)
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


class UnheardCommits(HTTPServer):
    """A server whose first commit of a cancel, and of a batch, gets no answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys: list[str | None] = []
        self.batches: list[bytes] = []


@contextmanager
def serving(server: UnheardCommits) -> Generator[str]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_cancel_that_got_no_answer_is_sent_again_under_its_key():
    server = UnheardCommits()
    with serving(server) as url, closing(HttpVenue(ServerClient(url), "ACME")) as venue:
        driver = Driver(venue)
        driver.send(STEPS)

    assert driver.score.mismatches == []
    assert len(server.keys) == 2


def test_a_batch_with_an_order_to_try_again_is_sent_again_with_the_same_ids():
    server = UnheardCommits()
    with serving(server) as url, closing(HttpVenue(ServerClient(url), "ACME")) as venue:
        driver = Driver(venue)
        driver.send(TWO_ORDERS)

    assert driver.score.mismatches == []
    first, second = server.batches
    assert first == second

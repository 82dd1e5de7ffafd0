"""A small application behind the bounded protocol: a real server on real sockets."""

import asyncio
import gc
import json
import select
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from infra.http.bounds import Bounds
from infra.http.protocol import bounded_protocol
from infra.runtime.address_ranges import AddressRanges
from tests.support.server_process import wait_until

#: Large answers by path. The kernel takes the first for a client that does not read,
#: and leaves some of the second in the server.
LARGE = {b"/large": b"x" * 300_000, b"/huge": b"x" * 20_000_000}
PATIENCE = 20.0
TRICKLE_SECONDS = 0.02

#: Bounds that no test reaches by accident. A test replaces the one that it is about.
WIDE = Bounds(
    connections=100,
    connections_per_address=100,
    requests_per_address=100,
    unlimited=AddressRanges("none"),
    body_bytes=100_000,
    head_seconds=PATIENCE,
    body_seconds=PATIENCE,
    unread_seconds=PATIENCE,
    idle_seconds=PATIENCE,
    linger_seconds=0.2,
    look_seconds=0.02,
)


class Answer(msgspec.Struct):
    """One response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        return json.loads(self.body)


class Echo:
    """Answers with path and body, or with a large text.

    `/early` reads no body. `/deaf` waits for `released` and does not see that its
    client left.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.released = threading.Event()
        #: The most requests in memory when every hundredth one began.
        self.most_requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        if self.begun % 100 == 0:
            self.most_requests = max(self.most_requests, _requests_in_memory())
        path, body, more = scope["path"].encode(), b"", scope["path"] != "/early"
        if path == b"/deaf":
            await asyncio.to_thread(self.released.wait)
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        answer = LARGE.get(path) or path + b" " + body
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": answer, "more_body": False})


def _requests_in_memory() -> int:
    return sum(type(each) is RequestResponseCycle for each in gc.get_objects())


class Client:
    """A raw connection. It ends a test that waits for too long."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=PATIENCE, source_address=(host, 0)
        )
        self._read = self.socket.makefile("rb")

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def trickle(self, byte: bytes) -> None:
        """Send byte after byte until the server answers."""
        while not select.select([self.socket], [], [], TRICKLE_SECONDS)[0]:
            self.send(byte)

    def answer(self) -> Answer:
        status = int(self._read.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._read.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        length = int(headers["content-length"])
        return Answer(status, headers, self._read.read(length))

    def has_ended(self) -> bool:
        """Wait until the server has ended the connection, whatever it sent before."""
        try:
            while self._read.read1(65_536):
                continue
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._read.close()
        self.socket.close()


class BoundedServer:
    """One server in a thread, on its own port."""

    def __init__(self, bounds: Bounds) -> None:
        self.app = Echo()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                http=bounded_protocol(bounds),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
            )
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._clients: list[Client] = []

    def _serve(self) -> None:
        uvloop.run(self._server.serve(sockets=[self._listener]))

    @property
    def open_connections(self) -> int:
        return len(self._server.server_state.connections)

    def wait_until_begun(self, count: int) -> None:
        wait_until("requests began", lambda: self.app.begun == count, PATIENCE)

    def wait_until_empty(self) -> None:
        """Wait until no client is left, although none of them reads."""
        wait_until("no connection is left", lambda: not self.open_connections, PATIENCE)

    def client(self, host: str = "127.0.0.1") -> Client:
        client = Client(self.port, host)
        self._clients.append(client)
        return client

    def stop(self) -> bool:
        """Ask the server to end, as a signal does; return whether it did."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def close(self) -> None:
        for each in self._clients:
            each.close()
        assert self.stop()


@contextmanager
def bounded_server(**bounds: Any) -> Generator[BoundedServer]:
    server = BoundedServer(msgspec.structs.replace(WIDE, **bounds))
    try:
        yield server
    finally:
        server.close()


def answered(
    server: BoundedServer, count: int, host: str = "127.0.0.1"
) -> list[Client]:
    """Return clients of an address, each with an answer."""
    clients = [server.client(host) for _ in range(count)]
    for each in clients:
        each.send(request("/"))
        assert each.answer().status == 200
    return clients


def refused(client: Client, status: int, reason: str) -> dict[str, Any]:
    """Assert that a client gets this refusal and the end, and return the problem."""
    answer = client.answer()
    assert (answer.status, answer.problem["reason"]) == (status, reason)
    assert answer.problem["code"] // 100_000 == status
    assert answer.headers["connection"] == "close"
    assert ("retry-after" in answer.headers) is (status in {429, 503})
    assert client.has_ended()
    return answer.problem


def request(target: str, body: bytes | None = None, **headers: str) -> bytes:
    """Return the bytes of a request: POST if it has a body."""
    named = {"Host": "bourse.test", **headers}
    if body is not None:
        named["Content-Length"] = str(len(body))
    lines = [f"{'GET' if body is None else 'POST'} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def chunked(target: str, *chunks: bytes) -> bytes:
    """Return the bytes of a request with a chunked body."""
    head = f"POST {target} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    pieces = [b"%x\r\n%b\r\n" % (len(each), each) for each in (*chunks, b"")]
    return head + b"".join(pieces)


async def answers_to(
    make: Callable[[], asyncio.Protocol], pieces: Sequence[bytes]
) -> bytes:
    """Return what a protocol writes if its bytes arrive in these pieces."""
    protocol, transport = make(), Recorder()
    protocol.connection_made(transport)
    for each in pieces:
        # A transport that is paused delivers nothing.
        await transport.reads.wait()
        protocol.data_received(each)
    await transport.ended.wait()
    protocol.connection_lost(None)
    return bytes(transport.written)


class Recorder(asyncio.Transport):
    """A transport whose client reads everything at once except `unread` bytes."""

    unread = 0

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.ended = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self.written += data

    def write_eof(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.ended.set()

    def abort(self) -> None:
        self.ended.set()

    def is_closing(self) -> bool:
        return self.ended.is_set()

    def pause_reading(self) -> None:
        self.reads.clear()

    def resume_reading(self) -> None:
        self.reads.set()

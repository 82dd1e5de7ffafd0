"""HTTP/1.1 on one connection, within bounds.

uvicorn's protocol gives whole chunks to its parser and queues every request in them.
This one gives the parser a request at a time. While the server answers, or the client
leaves an answer unread, further bytes stay as they are and reading pauses. So a
connection holds one request, one answer and one chunk, whatever its client sends.
"""

import asyncio
from functools import partial
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from api.http.request_errors import (
    HeadTooLarge,
    MalformedRequest,
    RequestTooSlow,
    TargetTooLong,
)
from domain.errors import DomainError
from infra.http.bounds import Bounds
from infra.http.connections import Connections, Peer
from infra.http.phase import Phase, time_limits
from infra.http.refusals import refusal_of
from infra.http.upgrade import HEAD_END, without_offer

HEAD_END_SIZE = len(HEAD_END)
#: A chunked body goes to the parser in pieces of at least this size: it may consist of
#: line ends. The requests that can hide behind its end are few.
CHUNKED_PIECE_MIN = 4_096


def bounded_protocol(bounds: Bounds) -> type[asyncio.Protocol]:
    """Return a protocol for uvicorn whose connections share one register."""
    return cast(type[asyncio.Protocol], partial(BoundedProtocol, Connections(bounds)))


class _Flow(FlowControl):
    """Flow control that does not read on while the protocol keeps bytes."""

    keeps = False

    def resume_reading(self) -> None:
        if self.read_paused and not self.keeps:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        bounds = connections.bounds
        self._connections = connections
        self._bounds = bounds
        #: None if the address is unlimited.
        self._peer: Peer | None = None
        self._line_max = bounds.line_bytes
        self._head_max = bounds.head_bytes
        self._seconds = time_limits(bounds)
        self.url = b""
        # Bytes of later requests, from this place on.
        self._kept = b""
        self._kept_from = 0
        # The request that the parser reads: its place, and its size so far.
        self._in_body = False
        self._head_size = 0
        self._body_size = 0
        #: Bytes since the newest of a body: they only surround chunks.
        self._framing_size = 0
        #: None if the body is chunked, or if no head says so yet.
        self._body_length: int | None = None
        self._has_length = False
        self._fault: DomainError | None = None
        # How the connection ends.
        self._is_last = False
        self._lingers = False
        self._lingering_bytes = 0
        # What the latest look saw, and since when.
        self._seen: tuple[Phase, object, int] = (Phase.NEW, None, 0)
        self._seen_since = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.flow = self._flow = _Flow(self.transport)
        address = self.client[0] if self.client else ""
        try:
            self._peer = self._connections.enter(self, address)
        except DomainError as refusal:
            if self._connections.may_linger():
                self._refuse(refusal)
            else:
                self._connections.note_refusal(refusal.code)
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._kept = b""
        super().connection_lost(exc)
        self._connections.leave(self)

    # Requests, one at a time.

    def data_received(self, data: bytes) -> None:
        if self._lingers:
            self._lingering_bytes += len(data)
            if self._lingering_bytes > self._bounds.linger_bytes:
                self.transport.abort()
        elif self._kept:
            self._keep(self._kept[self._kept_from :] + data, 0)
        else:
            self._read(data, 0)

    def _read(self, data: bytes, start: int) -> None:
        size, parser = len(data), self.parser
        assert parser is not None, "a lost connection receives nothing"
        while start < size and not self._lingers:
            if self._is_answering():
                self._keep(data, start)
                return
            if self._in_body:
                end = self._end_of_body_piece(data, start, size)
            else:
                end = self._end_of_head_piece(data, start, size)
            piece = data if end - start == size else data[start:end]
            start = end
            self._framing_size += len(piece)
            if not self._in_body:
                piece = without_offer(piece)
            try:
                parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                self._ignore_upgrade()
            except httptools.HttpParserError:
                self._refuse(self._fault or MalformedRequest())
                return
            if self._in_body:
                if self._framing_size > self._head_max:
                    self._refuse(HeadTooLarge(self._line_max, self._head_max))
                    return
            elif self._head_size > self._line_max:
                self._check_unfinished_head()

    def _is_answering(self) -> bool:
        """Return whether the next request must wait."""
        cycle = self.cycle
        if cycle and not (cycle.response_complete or cycle.more_body):
            return True
        return self.flow.write_paused or len(self.pipeline) > 0

    # A piece completes at most one request, with two exceptions: two chunks may share
    # the end of a head, and requests may hide behind a chunked body. uvicorn queues
    # those few.

    def _end_of_head_piece(self, data: bytes, start: int, size: int) -> int:
        found = data.find(HEAD_END, start)
        end = size if found < 0 else found + HEAD_END_SIZE
        room = self._head_max + 1 - self._head_size
        if end - start > room:
            # One byte more than a head may have shows that it has too many.
            end = start + room
        self._head_size += end - start
        if 0 < size - end < self._line_max and data.find(HEAD_END, end) < 0:
            # The rest is a body, or the beginning of the next head.
            return size
        return end

    def _end_of_body_piece(self, data: bytes, start: int, size: int) -> int:
        if not self._has_length:
            self._body_length = self._declared_length()
            self._has_length = True
        if self._body_length is not None:
            return min(size, start + max(1, self._body_length - self._body_size))
        found = data.find(HEAD_END, start + CHUNKED_PIECE_MIN)
        return size if found < 0 else found + HEAD_END_SIZE

    def _declared_length(self) -> int | None:
        for name, value in self.headers:
            if name == b"content-length":
                return int(value)
        return None

    def _keep(self, data: bytes, start: int) -> None:
        """Keep bytes for later, and stop reading until then."""
        self._kept, self._kept_from = data, start
        self._flow.keeps = True
        self.flow.pause_reading()

    def _go_on(self) -> None:
        """Continue with the bytes that were kept, then with those that arrive."""
        if self._kept:
            kept, self._kept = self._kept, b""
            self._flow.keeps = False
            self._read(kept, self._kept_from)
        self.flow.resume_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._is_answering():
            self._go_on()

    # Answers, some at a time for each address.

    def _start_asgi_task(
        self, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        if self._peer is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._peer.begin(partial(self._start, cycle, app))

    def _start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> bool:
        if cycle.disconnected:
            return False
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self._end_task)
        self.tasks.add(task)
        return True

    def _end_task(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        assert self._peer is not None
        self._peer.end()

    # What the parser finds.

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._framing_size = 0
        if self._head_size > self._line_max:
            self._check_head()
        super().on_headers_complete()

    def _check_head(self) -> None:
        """Note the refusal of a head that is too large, and stop the parser."""
        bounds = self._bounds
        line = bounds.line_bytes
        if len(self.url) > line:
            self._fault = TargetTooLong(line)
        elif self._head_size > bounds.head_bytes or any(
            len(name) + len(value) > line for name, value in self.headers
        ):
            self._fault = HeadTooLarge(line, bounds.head_bytes)
        if self._fault is not None:
            # Any error makes the parser stop.
            raise ValueError

    def _check_unfinished_head(self) -> None:
        bounds = self._bounds
        if len(self.url) > bounds.line_bytes:
            self._refuse(TargetTooLong(bounds.line_bytes))
        elif self._head_size > bounds.head_bytes:
            self._refuse(HeadTooLarge(bounds.line_bytes, bounds.head_bytes))

    def on_chunk_header(self) -> None:
        # The application has the headers by now. What follows the last chunk is none.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        # This and the next two methods do what uvicorn's do, and less of it: uvicorn
        # asks the parser about an upgrade, and starts a timer after each answer.
        self._body_size += len(body)
        self._framing_size = 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._in_body = self._has_length = False
        self._head_size = self._body_size = self._framing_size = 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self._is_last:
            self.transport.close()
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._in_body and self._is_too_long():
            # The server has answered, and will not read the rest.
            self._linger()
            return
        if self._kept:
            self._go_on()
        else:
            self.flow.resume_reading()

    def _is_too_long(self) -> bool:
        length = self._declared_length()
        return length is None or length > self._bounds.body_bytes

    def _ignore_upgrade(self) -> None:
        """Serve a request whose head came in pieces. The parser loses its body."""
        if self._declared_length():
            self._is_last = True

    # The end.

    def shutdown(self) -> None:
        """End the connection, after the answer that is under way."""
        self._kept = b""
        self.pipeline.clear()
        self._is_last = True
        if self.flow.write_paused or self._lingers:
            self.transport.abort()
        else:
            super().shutdown()

    def _refuse(self, error: DomainError) -> None:
        """Send a refusal and end, or end after the answer that is under way."""
        self._connections.note_refusal(error.code)
        self._kept = b""
        cycle = self.cycle
        if cycle and not cycle.response_complete:
            if not cycle.more_body or cycle.response_started or self.pipeline:
                self.pipeline.clear()
                self._is_last = True
                self._keep(b"", 0)
                return
            # The refusal is the answer to this request, and its handler must end.
            cycle.disconnected = True
            cycle.message_event.set()
        headers = self.server_state.default_headers
        self.transport.write(refusal_of(error, headers))
        self._linger()

    def _linger(self) -> None:
        """Say that no more comes, and read on until the client has read that."""
        self._lingers = True
        self._kept = b""
        self._flow.keeps = False
        self.transport.write_eof()
        self.flow.resume_reading()

    def look(self, now: float) -> None:
        """End the connection if it has been in one phase for too long."""
        # A client that reads slowly is in a new phase after each piece.
        phase, unread = self._phase(), self.transport.get_write_buffer_size()
        seen_phase, seen_scope, seen_unread = self._seen
        if (
            phase is not seen_phase
            or self.scope is not seen_scope
            or unread != seen_unread
        ):
            self._seen, self._seen_since = (phase, self.scope, unread), now
            return
        seconds = self._seconds[phase]
        if self._is_last and phase is Phase.BODY:
            # The server ends, and waits for no client.
            seconds = self._bounds.look_seconds
        if now - self._seen_since >= seconds:
            self._end(phase)

    def _phase(self) -> Phase:
        cycle = self.cycle
        if self.transport.is_closing():
            return Phase.CLOSING
        if self._lingers:
            return Phase.LINGERING
        if self.flow.write_paused:
            return Phase.UNREAD
        if self._in_body:
            return Phase.BODY
        if cycle and not cycle.response_complete:
            return Phase.ANSWERING
        if self._head_size:
            return Phase.HEAD
        return Phase.IDLE if self.scope else Phase.NEW

    def _end(self, phase: Phase) -> None:
        bounds = self._bounds
        if phase is Phase.HEAD:
            self._refuse(RequestTooSlow("head", bounds.head_seconds))
        elif phase is Phase.BODY and not self.cycle.response_complete:
            self._refuse(RequestTooSlow("body", bounds.body_seconds))
        else:
            # Also if some of the last answer is unread: closing would wait for that.
            self.transport.abort()

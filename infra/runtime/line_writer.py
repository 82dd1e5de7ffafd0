"""Writes the lines of the log in a thread, so that no reader of them stalls the server.

If standard error is a pipe that nobody reads, a write to it waits for ever. Here only
the thread waits. Lines that arrive meanwhile queue; beyond a limit they are dropped and
counted, and the next line that is written says how many.
"""

import os
import select
import stat
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import structlog

#: Lines that may wait: about 3 MB, some seconds of a busy server.
LINES_MAX = 10_000
#: The projector writes to the same pipe, and only writes up to this size are atomic.
PIPE_BYTES_MAX = select.PIPE_BUF
FILE_BYTES_MAX = 65_536

_log = structlog.get_logger(__name__)


class LineWriter:
    """A text stream for log handlers, on a file descriptor, from any thread."""

    def __init__(self, descriptor: int, *, lines_max: int = LINES_MAX) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        self._bytes_max = PIPE_BYTES_MAX if is_pipe else FILE_BYTES_MAX
        self._lines_max = lines_max
        self._queue = SimpleQueue[tuple[int, Callable[[], bytes]]]()
        self._turn = threading.Lock()
        self._waiting = 0
        self._reported = 0
        self._idle = threading.Event()
        self._idle.set()
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    def write(self, text: str) -> None:
        """Queue a text of whole lines, or drop it. Never waits."""
        self.offer(1, lambda: text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Do nothing: a handler calls this after each line. See `drain`."""

    def offer(self, lines: int, text: Callable[[], bytes]) -> None:
        """Queue some lines, or drop them. The thread calls `text` to make them."""
        with self._turn:
            if self._waiting + lines > self._lines_max:
                self.dropped += lines
                return
            self._waiting += lines
            self._idle.clear()
        self._queue.put((lines, text))

    def drain(self, seconds: float) -> None:
        """Wait until every line is written, at most so long."""
        self._idle.wait(seconds)

    def _run(self) -> None:
        while True:
            lines, text = self._queue.get()
            is_written = self._write_all(text)
            with self._turn:
                self._waiting -= lines
                self.dropped += 0 if is_written else lines
                if not self._waiting:
                    self._idle.set()
            # A report needs room, and a reader.
            has_room = self._waiting < self._lines_max // 2
            if is_written and has_room and self.dropped > self._reported:
                self._reported = self.dropped
                _log.warning("log_lines_dropped", since_the_start=self._reported)

    def _write_all(self, text: Callable[[], bytes]) -> bool:
        try:
            for part in pieces(text(), self._bytes_max):
                self._write(part)
        except Exception:  # noqa: BLE001 - the top loop of a thread, without a log
            # The reader of the pipe is gone, the disk is full, or a line is a defect.
            return False
        return True

    def _write(self, part: bytes) -> None:
        while part:
            try:
                part = part[os.write(self._descriptor, part) :]
            except BlockingIOError:
                # Somebody has set the descriptor to fail rather than wait.
                select.select([], [self._descriptor], [])


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    """Cut a text into pieces of whole lines, each as large as `size` if it can be.

    >>> list(pieces(b"1\\n22\\n333\\n4\\n", 5))
    [b'1\\n22\\n', b'333\\n', b'4\\n']
    """
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            # At least one line, even if it is longer.
            end = (
                text.rfind(b"\n", start, end) + 1 or text.find(b"\n", start) + 1 or end
            )
        yield text[start:end]
        start = end

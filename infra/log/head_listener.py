"""Learns the head of the log from Postgres's notifications (LISTEN), in one thread.

Each notification of an append carries the append's last log position, so followers of
the log need no query to learn about new facts. The thread queries the head after a
notification without a position, and after each new connection.
"""

import contextlib
import select
import socket
import threading

import psycopg
from psycopg.rows import TupleRow

from domain.ids import LOG_START, LogPosition
from infra.log.connection import connect

_RECONNECT_SECONDS = 0.2
#: A connection may die unnoticed, with its notifications: query the head this often.
_LOOK_SECONDS = 5.0


class LogListener:
    """Wakes threads that wait for new facts. The first wait starts its own thread."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._head = LOG_START
        self._moved = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._wake, self._woken = socket.socketpair()

    def wait(self, after: LogPosition, seconds: float) -> bool:
        """Wait up to `seconds` for a head beyond `after`. Return False on a timeout."""
        with self._moved:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="log-listener", daemon=True
                )
                self._thread.start()
            self._moved.wait_for(lambda: self._closed or self._head > after, seconds)
            return self._head > after

    def close(self) -> None:
        with self._moved:
            self._closed = True
            thread, self._thread = self._thread, None
            self._moved.notify_all()
        # On a second close the socket is gone.
        with contextlib.suppress(OSError):
            self._wake.send(b"x")
        if thread is not None:
            thread.join()
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        while not self._closed:
            try:
                with connect(self._database_url, name="bourse-listener") as connection:
                    self._follow(connection)
            except psycopg.Error:
                select.select([self._woken], [], [], _RECONNECT_SECONDS)

    def _follow(self, connection: psycopg.Connection[TupleRow]) -> None:
        # LISTEN before the query: no append can slip through between the two.
        connection.execute("LISTEN events")
        self._look(connection)
        while not self._closed:
            readable, _, _ = select.select(
                [connection.fileno(), self._woken], [], [], _LOOK_SECONDS
            )
            payloads = [n.payload for n in connection.notifies(timeout=0)]
            if payloads and all(payloads):
                self._set(max(LogPosition(payload) for payload in payloads))
            elif payloads or not readable:
                self._look(connection)

    def _look(self, connection: psycopg.Connection[TupleRow]) -> None:
        row = connection.execute("SELECT max(notification_id) FROM events").fetchone()
        self._set(row[0] or LOG_START if row else LOG_START)

    def _set(self, head: LogPosition) -> None:
        with self._moved:
            # The head can also fall: a restore put another log in this one's place.
            if head != self._head:
                self._head = head
                self._moved.notify_all()

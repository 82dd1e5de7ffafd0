"""Knows how far the log has come, the moment it has: LISTEN on Postgres, in one thread.

An append says its last log position in the notification itself, so that following the
log needs no query to find out whether there is something new. A notification without
one, or a connection that was made anew, is followed by a look at the head.
"""

import contextlib
import select
import socket
import threading

import psycopg
from psycopg.rows import TupleRow

from domain.ids import LogPosition
from infra.log.connection import connect

_RECONNECT_SECONDS = 0.2
#: Notifications may be lost with a connection that died unseen: look now and then.
_LOOK_SECONDS = 5.0


class LogListener:
    """Wakes those who wait for the log to go on. Its thread starts with the first."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._head: LogPosition = 0
        self._moved = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._wake, self._woken = socket.socketpair()

    def wait(self, after: LogPosition, seconds: float) -> bool:
        """Block until the head is beyond `after`, at most `seconds`; whether it is."""
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
        # Whoever closes twice finds the socket gone.
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
        # Listened first and looked second: nothing can pass between the two.
        connection.execute("LISTEN events")
        self._look(connection)
        while not self._closed:
            readable, _, _ = select.select(
                [connection.fileno(), self._woken], [], [], _LOOK_SECONDS
            )
            told = [n.payload for n in connection.notifies(timeout=0)]
            if told and all(told):
                self._set(max(int(payload) for payload in told))
            elif told or not readable:
                self._look(connection)

    def _look(self, connection: psycopg.Connection[TupleRow]) -> None:
        row = connection.execute("SELECT max(notification_id) FROM events").fetchone()
        self._set(row[0] or 0 if row else 0)

    def _set(self, head: LogPosition) -> None:
        with self._moved:
            # Less than before is possible too: another log was restored in its place.
            if head != self._head:
                self._head = head
                self._moved.notify_all()

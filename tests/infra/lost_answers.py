"""A proxy to Postgres that can lose the answer to a commit.

Each connection takes two sockets and two threads. To lose the next commit's answer, the
proxy lets Postgres commit and then closes the connection instead of forwarding the
answer.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

#: Postgres's message that a transaction is durable.
COMMITTED = b"COMMIT\x00"


class LostAnswers:
    """A TCP proxy. `url` leads to the database through the proxy."""

    def __init__(self, database_url: str) -> None:
        server = conninfo_to_dict(database_url)
        self._server = str(server["host"]), int(str(server["port"]))
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = make_conninfo(
            database_url, host="127.0.0.1", port=self._door.getsockname()[1]
        )
        self._sockets: list[socket.socket] = []
        self._loses_next = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def lose_next(self) -> None:
        self._loses_next.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        hang_up(self._door, *self._sockets)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._server)
                self._sockets += client, server
                for start in (self._ask, self._answer):
                    thread = threading.Thread(target=start, args=(client, server))
                    self._threads.append(thread)
                    thread.start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        hang_up(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if COMMITTED in data and self._loses_next.is_set():
                    self._loses_next.clear()
                    break
                client.sendall(data)
        hang_up(client, server)


def hang_up(*sockets: socket.socket) -> None:
    for each in sockets:
        # Either side may have closed the socket already.
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

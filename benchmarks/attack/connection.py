"""A raw connection to the server under attack."""

import json
import socket
import time

from benchmarks.attack.target import Target

#: The clients that are not attackers have another address, as they would elsewhere.
PATIENT_ADDRESS = "127.0.0.2"


class Connection:
    """One connection. Each of its calls ends at the deadline at the latest."""

    def __init__(self, target: Target, deadline: float, address: str = "") -> None:
        self.deadline = deadline
        self.socket = socket.create_connection(
            ("127.0.0.1", target.port), timeout=5, source_address=(address, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> bool:
        """Send what the server takes; return whether it took everything."""
        left = memoryview(data)
        while left and (seconds := self.deadline - time.monotonic()) > 0:
            self.socket.settimeout(seconds)
            try:
                left = left[self.socket.send(left) :]
            except OSError:
                return False
        return not left

    def read(self, size: int = 262_144) -> bytes:
        """Return what has arrived, or nothing if the connection ended."""
        self.socket.settimeout(max(0.001, self.deadline - time.monotonic()))
        try:
            return self.socket.recv(size)
        except OSError:
            return b""

    def answer(self) -> tuple[int, bytes]:
        """Return status and body of the next answer.

        Raises:
            ConnectionError: the connection ended before the answer did.
        """
        head, body = b"", b""
        while b"\r\n\r\n" not in head:
            head += self._more()
        head, _, body = head.partition(b"\r\n\r\n")
        status, length = int(head.split(None, 2)[1]), 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self._more()
        return status, body

    def _more(self) -> bytes:
        if not (data := self.read()):
            raise ConnectionError("the server ended the connection")
        return data

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body of its answer."""
        if not self.send(request):
            raise ConnectionError("the server took no request")
        return self.answer()

    def prepare(self, request: bytes) -> None:
        """Send a request that must succeed, or the attack would be another one.

        Raises:
            ConnectionError: it did not; the server may be ending.
        """
        status, body = self.ask(request)
        if status >= 300:
            raise ConnectionError(body)

    def close(self) -> None:
        self.socket.close()


def request(
    method: str, path: str, token: str = "", body: object | None = None
) -> bytes:
    """Return the bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def batch(target: Target, token: str, price: str, count: int) -> bytes:
    """Return the bytes of a request with many bids of one share."""
    bids = [order(target.symbol, "buy", price)] * count
    return request("POST", "/v2/orders:batch", token, {"orders": bids})


def order(symbol: str, side: str, price: str, qty: int = 1) -> dict[str, str]:
    """Return the body of a limit order."""
    return {
        "symbol": symbol,
        "qty": str(qty),
        "side": side,
        "type": "limit",
        "time_in_force": "gtc",
        "limit_price": price,
    }

"""Requests that offer to go on in another protocol.

Some clients offer HTTP/2 in each request of an unencrypted connection. The parser takes
whatever follows such a head for the other protocol, and so loses the body. A server may
ignore the offer (RFC 9110, section 7.8), so the parser does not see it.
"""

import re

HEAD_END = b"\r\n\r\n"
_OFFER = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
#: Found faster than the header itself, and in few requests.
_HINT = b"pgrade:"


def without_offer(piece: bytes) -> bytes:
    """Return bytes that begin in a head, without the head's header `Upgrade`.

    A head that is cut keeps the header.

    >>> without_offer(b"POST / HTTP/1.1\\r\\nUpgrade: h2c\\r\\nA: b\\r\\n\\r\\nbody")
    b'POST / HTTP/1.1\\r\\nA: b\\r\\n\\r\\nbody'
    """
    if _HINT not in piece:
        return piece
    head, end, rest = piece.partition(HEAD_END)
    return _OFFER.sub(b"", head) + end + rest if end else piece

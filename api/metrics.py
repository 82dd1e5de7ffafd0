"""The route of the metrics, which only operators may read.

Prometheus sends the token of BOURSE_METRICS_TOKEN. If there is none, programs on this
machine need no token. An administrator may always read.
"""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeAlias

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from api.http.auth import AnyConnection, AnyGuard, Gate
from api.http.request_errors import NotSignedIn
from domain.vocabulary import Role

MEDIA_TYPE = "text/plain; version=0.0.4"
#: A request with one of these headers came through a proxy, from anywhere.
PROXY_HEADERS = (b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip")

#: Returns the metrics in the text format of Prometheus.
AskMetrics: TypeAlias = Callable[[], Awaitable[bytes]]


@get("/metrics", include_in_schema=False)
async def metrics(ask_metrics: NamedDependency[AskMetrics]) -> Response[bytes]:
    """Return the state of this server for Prometheus."""
    return Response(await ask_metrics(), media_type=MEDIA_TYPE)


def operators_only(gate: Gate, token: str | None) -> AnyGuard:
    """Return the guard of the metrics."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        headers = dict(connection.scope["headers"])
        sent = headers.get(b"authorization")
        if sent is None:
            if token is None and _is_local(connection, headers):
                return
            raise NotSignedIn(
                "the metrics are for programs on this machine, for administrators, "
                "and for those with the token of BOURSE_METRICS_TOKEN"
            )
        if token is not None and _is(token, sent):
            return
        caller = gate.admit_connection(connection)
        if Role.ADMIN not in caller.roles:
            gate.refuse(caller, connection)

    return guard


def _is(token: str, sent: bytes) -> bool:
    scheme, _, value = sent.partition(b" ")
    same = hmac.compare_digest(value.strip(), token.encode())
    return same and scheme.lower() == b"bearer"


def _is_local(connection: AnyConnection, headers: dict[bytes, bytes]) -> bool:
    client = connection.client
    if client is None or any(name in headers for name in PROXY_HEADERS):
        return False
    try:
        return ip_address(client.host).is_loopback
    except ValueError:
        return False

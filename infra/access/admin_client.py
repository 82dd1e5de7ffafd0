"""A client with an administrator's token, for the command line.

The caller may pass a token. Else the client logs in as the administrator of the
demonstration, if `demo.json` belongs to this server. Else the installation's key signs
a token for some minutes.
"""

from http import HTTPStatus

import msgspec

from infra.access.administrators import Administrators
from infra.access.api_client import ServerClient
from infra.access.target_servers import target_postgres
from infra.log.event_store import PostgresEventStore
from infra.runtime.settings import Settings


class _Login(msgspec.Struct):
    email: str
    password: str


class _Demo(msgspec.Struct):
    """The part of `demo.json` that a login needs."""

    base_url: str
    admin: _Login


class _LoggedIn(msgspec.Struct):
    access_token: str


def administrator_client(
    settings: Settings, url: str, token: str | None = None
) -> ServerClient:
    """Return a client with an administrator's rights.

    Raises:
        ServerUnreachable: no server answers at the address.
        LogUnavailable: the key is needed, and its database does not answer.
    """
    client = ServerClient(url, token)
    if client.token is None:
        client.token = _demo_token(settings, client)
    if client.token is None:
        client.token = _operator_token(settings, client)
    return client


def _demo_token(settings: Settings, client: ServerClient) -> str | None:
    try:
        content = (settings.home / "demo.json").read_bytes()
        demo = msgspec.json.decode(content, type=_Demo)
    except (OSError, msgspec.MsgspecError):
        return None
    if demo.base_url.rstrip("/") != client.base_url.rstrip("/"):
        return None
    answer = client.call("POST", "/auth/login", demo.admin)
    if answer.status != HTTPStatus.OK:
        return None
    return answer.read(_LoggedIn).access_token


def _operator_token(settings: Settings, client: ServerClient) -> str:
    with target_postgres(settings) as url, PostgresEventStore(url) as store:
        return Administrators(settings, store).token(client)

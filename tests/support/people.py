"""Signed-in users of an API, and what they ask of it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx

from commands.messages import GrantRole
from domain.events.event import Meta
from domain.vocabulary import Role
from tests.support import calls
from tests.support.calls import Call

Execute: TypeAlias = Callable[[GrantRole], Awaitable[object]]


class Person:
    """A signed-in user and their client."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        email: str,
        token: str,
        user_id: str,
        account_id: str,
    ) -> None:
        self.client = client
        self.email = email
        self.token = token
        self.user_id = user_id
        self.account_id = account_id

    async def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        return await self.client.request(
            method,
            path,
            json=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    async def sends(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> Any:
        """Send a request that must succeed, and return the body of the answer."""
        response = await self.request(method, path, body, **headers)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def gets(self, path: str) -> Any:
        return await self.sends("GET", path)

    async def does(self, call: Call) -> Any:
        """Send a request that must succeed, and return the body of its answer."""
        return await self.sends(*call)

    async def list_asset(self, symbol: str = "ACME", **terms: object) -> Any:
        return await self.does(calls.list_asset(symbol, **terms))

    async def order(self, **terms: object) -> httpx.Response:
        """Send a limit order to buy 10 ACME at 100; `terms` override this."""
        return await self.request(*calls.place(**terms))

    async def places(self, **terms: object) -> Any:
        """Send an order that must succeed, and return it."""
        return await self.does(calls.place(**terms))


async def signed_up(
    client: httpx.AsyncClient, email: str, execute: Execute, grant: Meta | None = None
) -> Person:
    """Register a user, log in, and return the person.

    `grant` makes the user an administrator before the login: a token names the roles
    of its moment.
    """
    method, path, body = calls.register(email)
    user = (await client.request(method, path, json=body)).json()
    if grant is not None:
        await execute(GrantRole(grant, user["user_id"], Role.ADMIN))
    method, path, body = calls.log_in(email)
    token = (await client.request(method, path, json=body)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return Person(client, email, token, user["user_id"], user["account_id"])

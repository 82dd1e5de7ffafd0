"""Sends orders to a server without pause, and remembers each answer."""

import asyncio
import secrets
import threading
from typing import Any

import httpx
import msgspec

from tests.support.amounts import written
from tests.support.calls import order
from tests.support.operations import TICK, Operation, endless

#: Orders are a few ticks away from this price.
PRICE = 1_000_000
#: Statuses that allow sending the same command again.
RETRYABLE = {429, 502, 503}


class Sent(msgspec.Struct):
    """One order: the request, and the first answer, if one came."""

    client_order_id: str
    body: dict[str, Any]
    order_id: str | None = None
    canceled: bool = False


class OrderLoad:
    """A thread of traders who send orders and cancels to `url` until `stop`."""

    def __init__(self, url: str, tokens: list[str], *, seed: int, symbol: str) -> None:
        self.url = url
        self.tokens = tokens
        self.operations = endless(seed, weights={"limit": 9, "cancel": 1})
        self.seed = seed
        self.symbol = symbol
        self.sent: list[list[Sent]] = [[] for _ in tokens]
        self.refused: dict[str, int] = {}
        self.broken: list[str] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "OrderLoad":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    @property
    def acknowledged(self) -> int:
        return sum(1 for sent in self.sent for each in sent if each.order_id)

    async def _run(self) -> None:
        await asyncio.gather(
            *(self._trade(number) for number in range(len(self.tokens)) for _ in "ab")
        )

    async def _trade(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.tokens[number]}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=8
        ) as client:
            while not self._stop.is_set():
                await self._one(client, self.sent[number])

    async def _one(self, client: httpx.AsyncClient, sent: list[Sent]) -> None:
        open_orders = [
            each for each in sent[-20:] if each.order_id and not each.canceled
        ]
        asked = next(self.operations)
        if open_orders and asked.kind == "cancel":
            target = asked.target % len(open_orders)
            await self._cancel(client, open_orders[target])
            return
        each = self._order(asked, len(sent))
        sent.append(each)
        answer = await self._ask(client, "POST", "/v2/orders", each.body)
        if answer is not None and answer.status_code == 200:
            each.order_id = str(answer.json()["id"])

    async def _cancel(self, client: httpx.AsyncClient, each: Sent) -> None:
        answer = await self._ask(client, "DELETE", f"/v2/orders/{each.order_id}")
        each.canceled = answer is not None and answer.status_code in (204, 422)

    def _order(self, asked: Operation, number: int) -> Sent:
        # Two loads of one seed on one account must not share client order ids.
        client_order_id = f"load-{self.seed}-{number}-{secrets.token_hex(4)}"
        body = order(
            symbol=self.symbol,
            side=asked.side,
            time_in_force=asked.tif,
            qty=str(1 + asked.quantity % 5),
            limit_price=written(PRICE + asked.away * TICK),
            client_order_id=client_order_id,
        )
        return Sent(client_order_id, body)

    async def _ask(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
    ) -> httpx.Response | None:
        """Send a request; return None if no answer came, or one that says to retry."""
        try:
            answer = await client.request(method, path, json=body)
        except httpx.HTTPError as reason:
            self._count(type(reason).__name__)
            await asyncio.sleep(0.05)
            return None
        if answer.status_code in RETRYABLE:
            self._count(str(answer.json().get("reason")))
            assert "retry-after" in answer.headers
            await asyncio.sleep(0.05)
            return None
        if answer.status_code >= 500:
            self.broken.append(answer.text)
        return answer

    def _count(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


def settle_doubts(url: str, tokens: list[str], load: OrderLoad) -> None:
    """Send unanswered orders again: the server records each once, now or before."""
    for token, sent in zip(tokens, load.sent, strict=True):
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
            for each in sent:
                if each.order_id is None:
                    answer = client.post("/v2/orders", json=each.body)
                    # 403: the account has no money or shares left.
                    assert answer.status_code in (200, 403), answer.text
                    if answer.status_code == 200:
                        each.order_id = str(answer.json()["id"])


def missing_orders(url: str, tokens: list[str], load: OrderLoad) -> list[str]:
    """Return acknowledged orders that the server lacks, or shows with another id."""
    found: list[str] = []
    for token, sent in zip(tokens, load.sent, strict=True):
        headers = {"Authorization": f"Bearer {token}"}
        known: dict[str, list[str]] = {}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            for order in _all_orders(client):
                known.setdefault(order["client_order_id"], []).append(order["id"])
            for each in sent:
                if each.order_id and each.client_order_id not in known:
                    # A page ends at a moment, and two orders can share a moment.
                    known[each.client_order_id] = _by_client_id(client, each)
        found += [
            each.client_order_id
            for each in sent
            if each.order_id and known.get(each.client_order_id) != [each.order_id]
        ]
    return found


def _by_client_id(client: httpx.Client, each: Sent) -> list[str]:
    query = {"client_order_id": each.client_order_id}
    answer = client.get("/v2/orders:by_client_order_id", params=query)
    return [str(answer.json()["id"])] if answer.status_code == 200 else []


def _all_orders(client: httpx.Client) -> list[dict[str, Any]]:
    """Return every order of the account, from all pages of the API."""
    orders: dict[str, dict[str, Any]] = {}
    until: str | None = None
    while True:
        query = {"status": "all", "limit": "500", "direction": "desc"}
        if until is not None:
            query["until"] = until
        answer = client.get("/v2/orders", params=query)
        answer.raise_for_status()
        page = answer.json()
        fresh = [order for order in page if order["id"] not in orders]
        orders.update((order["id"], order) for order in fresh)
        if len(page) < 500 or not fresh:
            return list(orders.values())
        until = page[-1]["submitted_at"]

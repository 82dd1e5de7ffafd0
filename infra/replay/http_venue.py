"""The venue of a replay behind the public API of a running server.

Requests go out one after another, because their order is what the replay is about.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import msgspec

from domain.accounts.wallet import OPEN_ORDERS_MAX
from domain.ids import LOG_START, AccountId, OrderId, Symbol, TradeId
from domain.market.order import OPEN_STATUSES
from domain.money import NO_SHARES, Price, Quantity, dollars_a_share, text
from domain.vocabulary import OrderStatus, TimeInForce
from infra.access.api_client import ServerAnswer, ServerClient, ServerRefused
from infra.replay.orderflow import Levels
from infra.replay.venue import Fill, LimitOrder, Refused, Way

PLENTY_OF_CASH = "10000000000000"
PLENTY_OF_SHARES = "1000000000"
#: A command is given up if the server is busy or without a leader for this time.
PATIENCE_SECONDS = 30.0
#: The most fills that one request returns.
FILLS_PAGE = 1_000
PAUSE_SECONDS = 0.2


class _Registered(msgspec.Struct):
    account_id: AccountId


class _LoggedIn(msgspec.Struct):
    access_token: str


class _Placed(msgspec.Struct):
    id: OrderId
    status: OrderStatus
    qty: str
    filled_qty: str

    @property
    def resting(self) -> Quantity:
        if self.status not in OPEN_STATUSES:
            return NO_SHARES
        return Quantity(self.qty) - Quantity(self.filled_qty)


class _Part(msgspec.Struct):
    """The server's answer to one order of a batch."""

    status: int
    body: msgspec.Raw


class _Trade(msgspec.Struct):
    trade_id: TradeId | str
    price: str
    qty: str


class _Book(msgspec.Struct):
    bids: list[tuple[str, str, int]]
    asks: list[tuple[str, str, int]]


class HttpVenue:
    """A new market on a server, and the new accounts of a maker and a taker."""

    way: Way = "http"

    def __init__(self, admin: ServerClient, symbol: Symbol) -> None:
        self._admin = admin
        self._maker = ServerClient(admin.base_url)
        self._taker = ServerClient(admin.base_url)
        self._symbol = symbol
        self._position = LOG_START
        self._not_resting: dict[OrderId, Quantity] = {}

    def close(self) -> None:
        self._maker.close()
        self._taker.close()

    # --- the market and the accounts ---

    def open(self, reference_price: Price) -> None:
        listing = {
            "symbol": self._symbol,
            "name": f"Replay {self._symbol}",
            "exchange": "NASDAQ",
            "tick_size": "0.01",
            "lot_size": "1",
            "reference_price": text(reference_price),
        }
        self._admin.ask("POST", "/v2/admin/assets", listing)
        self._sign_up(self._maker, "maker")
        self._sign_up(self._taker, "taker")

    def _sign_up(self, client: ServerClient, name: str) -> None:
        email = f"{name}.{secrets.token_hex(6)}@replay.example"
        password = secrets.token_urlsafe(12)
        person = {"email": email, "password": password, "full_name": f"Replay {name}"}
        registered = client.ask("POST", "/auth/register", person).read(_Registered)
        login = {"email": email, "password": password}
        client.token = (
            client.ask("POST", "/auth/login", login).read(_LoggedIn).access_token
        )
        account = f"/v2/admin/accounts/{registered.account_id}"
        cash = {"amount": PLENTY_OF_CASH, "reference": "replay"}
        shares = {
            "symbol": self._symbol,
            "qty": PLENTY_OF_SHARES,
            "price": "1.00",
            "reference": "replay",
        }
        self._admin.ask("POST", f"{account}/deposits", cash)
        self._admin.ask("POST", f"{account}/shares", shares)
        limits = {"max_open_orders": OPEN_ORDERS_MAX}
        self._admin.ask("PUT", f"{account}/limits", limits)

    # --- commands ---

    def place(self, orders: Sequence[LimitOrder]) -> Sequence[OrderId | Refused]:
        client = self._taker if orders[0].aggressive else self._maker
        bodies = [self._body(order) for order in orders]
        if len(bodies) == 1:
            answer = self._patiently(client, "POST", "/v2/orders", bodies[0])
            return [self._placed(orders[0], answer)]
        answer = self._patiently(client, "POST", "/v2/orders:batch", {"orders": bodies})
        if answer.status != HTTPStatus.MULTI_STATUS:
            return [Refused(answer.message)] * len(orders)
        parts = answer.read(list[_Part])
        return [
            self._placed(
                order, ServerAnswer(part.status, answer.position, bytes(part.body))
            )
            for order, part in zip(orders, parts, strict=True)
        ]

    def _body(self, order: LimitOrder) -> dict[str, object]:
        return {
            "symbol": self._symbol,
            "side": order.side,
            "qty": str(order.quantity),
            "type": "limit",
            "limit_price": text(order.limit),
            "time_in_force": TimeInForce.IOC if order.aggressive else TimeInForce.GTC,
            # The order stays one order if the server asks to send it again.
            "client_order_id": secrets.token_hex(12),
        }

    def _placed(self, order: LimitOrder, answer: ServerAnswer) -> OrderId | Refused:
        refused = self._refusal(answer)
        if refused is not None:
            return refused
        placed = answer.read(_Placed)
        if not order.aggressive and placed.resting != order.quantity:
            self._not_resting[placed.id] = placed.resting
        return placed.id

    def cancel(self, order_id: OrderId) -> Refused | None:
        # A commit that got no answer may have canceled the order. Under the same key
        # the second request then gets the first answer instead of a refusal.
        key, path = secrets.token_hex(12), f"/v2/orders/{order_id}"
        return self._refusal(self._patiently(self._maker, "DELETE", path, key=key))

    def replace(self, order_id: OrderId, quantity: Quantity) -> OrderId | Refused:
        body = {"qty": str(quantity), "client_order_id": secrets.token_hex(12)}
        path = f"/v2/orders/{order_id}"
        answer = self._patiently(self._maker, "PATCH", path, body)
        return self._refusal(answer) or answer.read(_Placed).id

    def finish(self) -> None:
        """Return at once: every answer of the server means durable."""

    def _refusal(self, answer: ServerAnswer) -> Refused | None:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return Refused(answer.message)
        self._position = max(self._position, answer.position)
        return None

    def _patiently(
        self,
        client: ServerClient,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
    ) -> ServerAnswer:
        """Send a request again while the server answers that it may be tried again."""
        deadline = perf_counter() + PATIENCE_SECONDS
        while True:
            answer = client.call(method, path, body, key=key)
            if not _may_be_tried_again(answer) or perf_counter() > deadline:
                return answer
            time.sleep(PAUSE_SECONDS)

    # --- queries ---

    def top(self, depth: int) -> tuple[Levels, Levels]:
        path = f"/v2/books/{quote(self._symbol)}?depth={depth}&after={self._position}"
        book = self._query(self._maker, path).read(_Book)
        return _levels(book.asks), _levels(book.bids)

    def not_resting(self) -> Mapping[OrderId, Quantity]:
        return self._not_resting

    def fills(self, order_id: OrderId, makers: Sequence[OrderId]) -> Sequence[Fill]:
        # Both sides of a trade show its id; no answer shows the other side's order.
        maker_of = {
            trade.trade_id: maker
            for maker in makers
            for trade in self._trades(self._maker, maker)
        }
        return [
            Fill(
                maker_of.get(trade.trade_id),
                Quantity(trade.qty),
                dollars_a_share(trade.price),
            )
            for trade in self._trades(self._taker, order_id)
        ]

    def _trades(self, client: ServerClient, order_id: OrderId) -> list[_Trade]:
        path = f"/v2/orders/{order_id}/fills?after={self._position}"
        trades: list[_Trade] = []
        while page := self._query(
            client, f"{path}&limit={FILLS_PAGE}&page_token={len(trades)}"
        ).read(list[_Trade]):
            trades += page
            if len(page) < FILLS_PAGE:
                break
        return trades

    def _query(self, client: ServerClient, path: str) -> ServerAnswer:
        answer = self._patiently(client, "GET", path)
        if answer.status != HTTPStatus.OK:
            raise ServerRefused(f"GET {path}", answer)
        return answer


def _may_be_tried_again(answer: ServerAnswer) -> bool:
    if answer.status != HTTPStatus.MULTI_STATUS:
        return answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    parts = answer.read(list[_Part])
    return any(part.status == HTTPStatus.SERVICE_UNAVAILABLE for part in parts)


def _levels(levels: Sequence[tuple[str, str, int]]) -> Levels:
    return tuple((dollars_a_share(price), Quantity(size)) for price, size, _ in levels)

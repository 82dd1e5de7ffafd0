"""A recorded order flow sent through the public API of a running server.

One request for each command, one after another, because their order is what is
replayed. Makers and takers are two accounts of the flow's own. The book is compared
as it goes; fills are facts for ever, so they are asked for at the end.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import msgspec

from domain.ids import LogPosition, OrderId, Symbol
from domain.money import dollars, text
from domain.vocabulary import TimeInForce
from infra.access.api_client import Answer, ServerClient, ServerRefused
from infra.replay.orderflow import (
    Cancel,
    Command,
    Drop,
    Entry,
    ExpectedFill,
    FlowId,
    Ioc,
    Levels,
    New,
    Reduce,
    Row,
    Seed,
    Step,
    named,
)
from infra.replay.score import FlowOrders, Progress, Report, Score

PLENTY_OF_CASH = "10000000000000"
PLENTY_OF_SHARES = "1000000000"
#: How long a server may be busy or without a leader before a command is given up.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.2


class _Registered(msgspec.Struct):
    account_id: str


class _LoggedIn(msgspec.Struct):
    access_token: str


class _Placed(msgspec.Struct):
    id: OrderId


class _Fill(msgspec.Struct):
    trade_id: int | str
    price: str
    qty: str


class _Book(msgspec.Struct):
    bids: list[tuple[str, str, int]]
    asks: list[tuple[str, str, int]]


class _Taken(msgspec.Struct):
    """An aggressive order that was sent, and whom it should have met."""

    line: int
    ioc: Ioc
    order_id: OrderId
    position: LogPosition
    makers: list[tuple[FlowId, OrderId]]


def replay_through_http(
    admin: ServerClient,
    steps: Sequence[tuple[int, Step]],
    *,
    flow: str,
    symbol: Symbol,
    rows_every: int = 1,
    progress: Progress = lambda _: None,
) -> Report:
    """List a market, fund its accounts, send a flow, compare fills and rows.

    Raises:
        ServerRefused, ServerUnreachable: it could not be set up, or the server went.
    """
    replay = HttpReplay(admin, symbol, rows_every)
    replay.open(_first_price(steps))
    try:
        started = perf_counter()
        replay.send(steps, progress)
        seconds = perf_counter() - started
        replay.compare_fills()
    finally:
        replay.close()
    return replay.score.report(flow=flow, symbol=symbol, way="http", seconds=seconds)


class HttpReplay:
    """One flow on its way through a server, into a market of its own."""

    def __init__(self, admin: ServerClient, symbol: Symbol, rows_every: int) -> None:
        self.score = Score()
        self._admin = admin
        self._maker = ServerClient(admin.base_url)
        self._taker = ServerClient(admin.base_url)
        self._symbol = symbol
        self._rows_every = rows_every
        self._rows = 0
        self._position: LogPosition = 0
        self._orders = FlowOrders()
        self._taken: list[_Taken] = []

    def close(self) -> None:
        self._maker.close()
        self._taker.close()

    # --- a market and accounts of its own ---

    def open(self, reference_price: int) -> None:
        """List the market and fund a maker and a taker."""
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

    # --- the flow ---

    def send(self, steps: Sequence[tuple[int, Step]], progress: Progress) -> None:
        for line, step in steps:
            if isinstance(step, Row):
                self._rows += 1
                if not self._rows % self._rows_every:
                    self._compare_book(line, step)
            else:
                self.score.commands += 1
                self._take(line, step)
            progress(1)

    def _take(self, line: int, step: Command) -> None:
        match step:
            case Seed() | New():
                self._enter(line, step)
            case Ioc():
                self._aggress(line, step)
            case Reduce():
                self._reduce(line, step)
            case Cancel() | Drop():
                self._cancel(line, step, step.flow_id)

    def _enter(self, line: int, entry: Entry) -> None:
        answer = self._place(self._maker, entry, entry.price, TimeInForce.GTC)
        if self._granted(line, entry, answer):
            order_id = answer.read(_Placed).id
            self._orders.enter(entry.flow_id, order_id, entry.size)

    def _aggress(self, line: int, ioc: Ioc) -> None:
        makers = [
            (fill.maker, self._orders.order_id(fill.maker) or "") for fill in ioc.fills
        ]
        self._orders.fill(ioc.fills)
        answer = self._place(self._taker, ioc, ioc.limit, TimeInForce.IOC)
        if self._granted(line, ioc, answer):
            order_id = answer.read(_Placed).id
            self._taken.append(_Taken(line, ioc, order_id, self._position, makers))

    def _place(
        self, client: ServerClient, order: Entry | Ioc, limit: int, time: TimeInForce
    ) -> Answer:
        body = {
            "symbol": self._symbol,
            "side": order.side,
            "qty": str(order.size),
            "type": "limit",
            "limit_price": text(limit),
            "time_in_force": time,
            # So that sending it again, where the server asks for that, is no second.
            "client_order_id": secrets.token_hex(12),
        }
        return self._patiently(client, "POST", "/v2/orders", body)

    def _reduce(self, line: int, step: Reduce) -> None:
        order_id, total = (
            self._orders.order_id(step.flow_id),
            self._orders.reduced(step),
        )
        if order_id is None or not total:
            self._cancel(line, step, step.flow_id)
            return
        body = {"qty": str(total), "client_order_id": secrets.token_hex(12)}
        answer = self._patiently(self._maker, "PATCH", f"/v2/orders/{order_id}", body)
        if self._granted(line, step, answer):
            self._orders.replaced(step.flow_id, answer.read(_Placed).id, total)

    def _cancel(self, line: int, step: Step, flow_id: FlowId) -> None:
        order_id = self._orders.remove(flow_id)
        if order_id is None:
            self.score.refusal(line, f"{named(step)}: no such order is open")
            return
        # Sent again after a commit that got no answer, it is canceled already; under
        # the same key that is the first answer, and no refusal.
        key, path = secrets.token_hex(12), f"/v2/orders/{order_id}"
        answer = self._patiently(self._maker, "DELETE", path, key=key)
        self._granted(line, step, answer)

    def _patiently(
        self,
        client: ServerClient,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
    ) -> Answer:
        """Ask, and again for as long as the server says that it may be tried again."""
        deadline = perf_counter() + PATIENCE_SECONDS
        while True:
            answer = client.call(method, path, body, key=key)
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                return answer
            if perf_counter() > deadline:
                return answer
            time.sleep(PAUSE_SECONDS)

    def _granted(self, line: int, step: Step, answer: Answer) -> bool:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self.score.refusal(line, f"{named(step)}: {answer.message}")
            return False
        self._position = max(self._position, answer.position)
        return True

    # --- what came of it ---

    def _compare_book(self, line: int, row: Row) -> None:
        path = (
            f"/v2/books/{quote(self._symbol)}?depth={row.depth}&after={self._position}"
        )
        answer = self._patiently(self._maker, "GET", path)
        if answer.status != HTTPStatus.OK:
            raise ServerRefused(f"GET {path}", answer)
        book = answer.read(_Book)
        self.score.row(line, row, asks=_levels(book.asks), bids=_levels(book.bids))

    def compare_fills(self) -> None:
        """Whom each aggressive order met, by the trades that both sides tell of."""
        for taken in self._taken:
            makers = self._makers_of(taken)
            fills = [
                ExpectedFill(
                    makers.get(str(fill.trade_id), 0),
                    int(fill.qty),
                    dollars(fill.price),
                )
                for fill in self._fills(self._taker, taken.order_id, taken.position)
            ]
            self.score.fills_of(taken.line, taken.ioc, fills)

    def _makers_of(self, taken: _Taken) -> dict[str, FlowId]:
        return {
            str(fill.trade_id): flow_id
            for flow_id, order_id in taken.makers
            if order_id
            for fill in self._fills(self._maker, order_id, taken.position)
        }

    def _fills(
        self, client: ServerClient, order_id: OrderId, after: LogPosition
    ) -> list[_Fill]:
        path = f"/v2/orders/{order_id}/fills?after={after}"
        answer = self._patiently(client, "GET", path)
        if answer.status != HTTPStatus.OK:
            raise ServerRefused(f"GET {path}", answer)
        return answer.read(list[_Fill])


def _levels(levels: Sequence[tuple[str, str, int]]) -> Levels:
    return tuple((dollars(price), int(size)) for price, size, _ in levels)


def _first_price(steps: Sequence[tuple[int, Step]]) -> int:
    prices = (step.price for _, step in steps if isinstance(step, Seed | New))
    return next(prices, dollars(100))

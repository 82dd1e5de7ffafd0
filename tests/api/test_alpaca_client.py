"""Alpaca's own Python client, unmodified, against a whole server."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    AssetExchange,
    AssetStatus,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import Asset, Clock, Order, Position, TradeAccount
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopOrderRequest,
)

from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def clients(real_server: ServerProcess) -> list[TradingClient]:
    """One client per trader of the demonstration."""
    return [
        TradingClient(
            oauth_token=real_server.token(trader), url_override=real_server.url
        )
        for trader in real_server.demo["traders"]
    ]


@pytest.fixture
def client(clients: list[TradingClient]) -> TradingClient:
    """The client of the first trader, who has no open order."""
    for each in clients:
        each.cancel_orders()
    return clients[0]


@pytest.fixture
def other(clients: list[TradingClient]) -> TradingClient:
    return clients[1]


def limit(side: OrderSide, qty: int, price: str, **terms: Any) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol="ACME",
        qty=qty,
        side=side,
        time_in_force=TimeInForce.GTC,
        limit_price=float(price),
        **terms,
    )


def placed(client: TradingClient, request: Any) -> Order:
    order = client.submit_order(request)
    assert isinstance(order, Order)
    return order


def refused(call: Callable[[], object]) -> APIError:
    with pytest.raises(APIError) as raised:
        call()
    return raised.value


def test_the_account_is_read(client: TradingClient):
    account = cast(TradeAccount, client.get_account())

    assert str(account.status) == "AccountStatus.ACTIVE"
    assert account.currency == "USD"
    assert float(account.cash or 0) > 0
    assert account.buying_power == account.cash


def test_the_account_configurations_are_read_and_set(client: TradingClient):
    configurations = cast(Any, client.get_account_configurations())
    assert configurations.suspend_trade is False

    configurations.suspend_trade = True
    changed = cast(Any, client.set_account_configurations(configurations))
    error = refused(lambda: client.submit_order(limit(OrderSide.BUY, 1, "90")))
    configurations.suspend_trade = False
    client.set_account_configurations(configurations)

    assert changed.suspend_trade is True
    assert (error.status_code, error.code) == (403, 40310000)


def test_assets_are_listed_and_found_by_symbol_and_id(client: TradingClient):
    request = GetAssetsRequest(
        status=AssetStatus.ACTIVE,
        asset_class=AssetClass.US_EQUITY,
        exchange=AssetExchange.NASDAQ,
    )
    assets = cast(list[Asset], client.get_all_assets(request))
    by_symbol = cast(Asset, client.get_asset("ACME"))

    assert {"ACME", "GLBX", "INIT"} <= {asset.symbol for asset in assets}
    assert cast(Asset, client.get_asset(by_symbol.id)).symbol == "ACME"
    assert by_symbol.tradable
    error = refused(lambda: client.get_asset("NONE"))
    assert (error.status_code, error.code) == (404, 40410000)


def test_the_clock_is_read(client: TradingClient):
    clock = cast(Clock, client.get_clock())

    assert clock.is_open
    assert clock.next_open > clock.timestamp


def test_an_order_rests_is_replaced_and_canceled(client: TradingClient):
    order = placed(client, limit(OrderSide.BUY, 10, "90.25", client_order_id="a-1"))
    assert order.status == OrderStatus.NEW
    assert (order.qty, order.limit_price) == ("10", "90.25")

    request = ReplaceOrderRequest(qty=5, limit_price=90.5)
    new = cast(Order, client.replace_order_by_id(order.id, request))
    assert new.replaces == order.id
    assert new.qty == "5"

    assert client.cancel_order_by_id(new.id) is None
    error = refused(lambda: client.cancel_order_by_id(new.id))
    assert (error.status_code, error.code) == (422, 42210000)
    assert error.message == 'order is already in "canceled" state'


def test_a_query_reflects_the_latest_command(client: TradingClient):
    for _ in range(30):
        order = placed(client, limit(OrderSide.BUY, 1, "90"))
        assert cast(Order, client.get_order_by_id(order.id)) == order

        client.cancel_order_by_id(order.id)
        read = cast(Order, client.get_order_by_id(order.id))
        assert read.status == OrderStatus.CANCELED


def test_orders_are_listed_and_found_by_id(client: TradingClient):
    order = placed(client, limit(OrderSide.SELL, 3, "110.5", client_order_id="f-1"))

    request = GetOrdersRequest(
        status=QueryOrderStatus.OPEN, limit=10, nested=True, symbols=["ACME", "GLBX"]
    )
    assert [each.id for each in cast(list[Order], client.get_orders(request))] == [
        order.id
    ]
    assert cast(Order, client.get_order_by_id(order.id)) == order
    assert cast(Order, client.get_order_by_client_id("f-1")) == order
    earlier = GetOrdersRequest(after=order.submitted_at, side=OrderSide.SELL)
    assert client.get_orders(earlier) == []


def test_orders_of_two_accounts_match(client: TradingClient, other: TradingClient):
    sold = placed(client, limit(OrderSide.SELL, 7, "100.1"))

    bought = placed(
        other,
        MarketOrderRequest(
            symbol="ACME", qty=9, side=OrderSide.BUY, time_in_force=TimeInForce.IOC
        ),
    )

    assert sold.status == OrderStatus.NEW
    assert bought.status == OrderStatus.CANCELED
    assert (bought.type, bought.filled_qty) == (OrderType.MARKET, "7")
    assert bought.filled_avg_price == "100.1"
    error = refused(lambda: other.get_order_by_id(sold.id))
    assert (error.status_code, error.code) == (404, 40410000)


def test_all_orders_are_canceled(client: TradingClient):
    orders = [placed(client, limit(OrderSide.BUY, 1, "90")) for _ in range(3)]

    canceled = cast(Any, client.cancel_orders())

    assert {each.id for each in canceled} == {each.id for each in orders}
    assert {each.status for each in canceled} == {200}


def test_positions_are_read_and_closed(client: TradingClient, other: TradingClient):
    positions = cast(list[Position], client.get_all_positions())
    acme = cast(Position, client.get_open_position("ACME"))
    assert acme in positions
    assert cast(Position, client.get_open_position(UUID(str(acme.asset_id)))) == acme
    assert int(acme.qty_available or 0) == int(acme.qty)

    placed(other, limit(OrderSide.BUY, 50, "99"))
    part = cast(Order, client.close_position("ACME", ClosePositionRequest(qty="20")))
    assert (part.filled_qty, part.side) == ("20", OrderSide.SELL)

    closed = cast(Any, client.close_all_positions(cancel_orders=True))
    assert {each.symbol for each in closed} == {each.symbol for each in positions}
    error = refused(lambda: client.close_position("NONE"))
    assert (error.status_code, error.code) == (404, 40410000)


def test_refusals_carry_their_code_and_sentence(client: TradingClient):
    no_money = refused(lambda: client.submit_order(limit(OrderSide.BUY, 10**6, "100")))
    no_shares = refused(
        lambda: client.submit_order(limit(OrderSide.SELL, 10**6, "110"))
    )
    off_tick = refused(lambda: client.submit_order(limit(OrderSide.BUY, 1, "10.001")))
    stop = refused(
        lambda: client.submit_order(
            StopOrderRequest(
                symbol="ACME",
                qty=1,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.DAY,
                stop_price=110,
            )
        )
    )

    assert (no_money.status_code, no_money.code) == (403, 40310000)
    assert (no_shares.status_code, no_shares.code) == (403, 40310000)
    assert (off_tick.status_code, off_tick.code) == (422, 42210000)
    assert (stop.status_code, stop.code) == (422, 42210000)
    assert "not supported yet" in stop.message


def test_a_duplicate_client_order_id_is_refused_and_a_repeat_places_no_order(
    client: TradingClient,
):
    request = limit(OrderSide.BUY, 1, "90", client_order_id="dup")
    first = placed(client, request)

    assert placed(client, request).id == first.id
    request.qty = 2
    error = refused(lambda: client.submit_order(request))
    assert (error.status_code, error.code) == (422, 40010001)
    assert error.message == "client_order_id must be unique"


def test_a_wrong_token_is_refused(real_server: ServerProcess):
    stranger = TradingClient(oauth_token="nonsense", url_override=real_server.url)

    error = refused(stranger.get_account)

    assert (error.status_code, error.code) == (401, 40110000)


def test_the_example_of_the_readme_prints_the_buying_power(real_server: ServerProcess):
    readme = Path(__file__).parents[2] / "README.md"
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL
    )
    trader = real_server.demo["traders"][3]

    done = subprocess.run(
        [sys.executable, "-c", example],
        env={
            **os.environ,
            "BOURSE_URL": real_server.url,
            "BOURSE_EMAIL": trader["email"],
            "BOURSE_PASSWORD": trader["password"],
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1000000"

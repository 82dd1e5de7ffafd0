"""A cancel-all goes on after `kill -9` between two of its slices."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.support import calls, survival
from tests.support.server_process import ServerProcess, wait_until

ORDERS = 6_000
BATCH = 500
PATIENCE = 120.0


def client_of(server: ServerProcess, person: Any) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.token(person)}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE)


def recorded(server: ServerProcess, tag: str) -> int:
    """Count the facts with this tag in the log."""
    with psycopg.connect(server.run["database_url"]) as connection:
        query = "SELECT count(*) FROM events WHERE topic = %s"
        row = connection.execute(query, (tag,)).fetchone()
    assert row is not None
    return row[0]


def await_first_slice(server: ServerProcess) -> None:
    """Return as soon as a slice after the log's head is durable, without a pause."""
    first = """SELECT 1 FROM events WHERE notification_id > %s
        AND topic = 'market.order-canceled' LIMIT 1"""
    head = "SELECT max(notification_id) FROM events"
    deadline = time.monotonic() + PATIENCE
    url = server.run["database_url"]
    with psycopg.connect(url, autocommit=True) as connection:
        before = connection.execute(head).fetchone()
        while connection.execute(first, before).fetchone() is None:
            assert time.monotonic() < deadline


def open_many(server: ServerProcess, trader: httpx.Client) -> None:
    """Give the first trader as many open orders in an instrument without a band."""
    account = server.demo["traders"][0]["account_id"]
    with client_of(server, server.demo["admin"]) as admin:
        for call in (
            calls.list_asset("SLICED"),
            calls.deposit(account, "1000000"),
            calls.Call(
                "PUT",
                f"/v2/admin/accounts/{account}/limits",
                {"max_open_orders": ORDERS},
            ),
        ):
            admin.request(call.method, call.path, json=call.body).raise_for_status()
    body = calls.order(symbol="SLICED", qty=1, limit_price="1")
    for _ in range(ORDERS // BATCH):
        answer = trader.post("/v2/orders:batch", json={"orders": [body] * BATCH})
        assert {each["status"] for each in answer.json()} == {200}


@pytest.mark.rule("ORDER-16")
def test_a_cancel_all_goes_on_after_a_kill_between_its_slices(tmp_path: Path) -> None:
    with survival.running(tmp_path / "home") as server:
        trader = client_of(server, server.demo["traders"][0])
        open_many(server, trader)
        before = recorded(server, "market.order-canceled")

        key = {"Idempotency-Key": "everything"}
        with ThreadPoolExecutor(1) as thread:
            sent = thread.submit(trader.delete, "/v2/orders", headers=key)
            await_first_slice(server)
            server.signal(signal.SIGKILL)
            assert isinstance(sent.exception(), httpx.TransportError)
        assert recorded(server, "wallet.cancel-all-completed") == 0, "killed too late"
        server.kill()
        server.start().wait_ready("leader")
        wait_until(
            "the cancel-all is completed",
            lambda: recorded(server, "wallet.cancel-all-completed") == 1,
            PATIENCE,
        )

        repeated = trader.delete("/v2/orders", headers=key)

        assert repeated.status_code == 207
        assert repeated.headers["Idempotent-Replayed"] == "true"
        assert len({each["id"] for each in repeated.json()}) == ORDERS
        assert trader.get("/v2/orders?status=open&limit=500").json() == []
        assert recorded(server, "market.order-canceled") == before + ORDERS
        survival.assert_audited(server)
        trader.close()

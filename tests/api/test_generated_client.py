"""A client that a generator made from the served document goes on the README's tour."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import Call
from tests.support.server_process import ServerProcess

GENERATOR = Path(sys.executable).parent / "openapi-python-client"
PACKAGE = "client_of_bourse"


class GeneratedClient:
    """The generated package, for one server."""

    def __init__(self, url: str) -> None:
        client = importlib.import_module(f"{PACKAGE}.client")
        self.models: Any = importlib.import_module(f"{PACKAGE}.models")
        self.anonymous: Any = client.Client(base_url=url)
        self._with_token: Callable[..., Any] = client.AuthenticatedClient
        self._url = url
        self._clients = [self.anonymous]

    def operation(self, name: str) -> Callable[..., Any]:
        """Return an operation by its tag and its id; it returns the decoded body."""
        module = importlib.import_module(f"{PACKAGE}.api.{name}")
        send: Callable[..., Any] = module.sync_detailed

        def call(*words: object, **named: object) -> Any:
            answer = send(*words, **named)
            assert answer.status_code < 300, answer.content
            assert answer.parsed is not None or answer.status_code == 204
            return answer.parsed

        return call

    def signed_in(self, person: dict[str, str]) -> Any:
        """Return the client of a user."""
        request = self.models.LoginRequest(person["email"], person["password"])
        login = self.operation("auth.login")(client=self.anonymous, body=request)
        client = self._with_token(base_url=self._url, token=login.access_token)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for each in self._clients:
            each.get_httpx_client().close()


@pytest.fixture
def generated(
    real_server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[GeneratedClient]:
    document = tmp_path / "openapi.json"
    answer = real_server.ask(Call("GET", "/schema/openapi.json"))
    document.write_bytes(answer.content)
    options = tmp_path / "options.json"
    options.write_text(json.dumps({"post_hooks": []}))
    made = subprocess.run(
        [
            *(GENERATOR, "generate", "--meta", "none", "--fail-on-warning"),
            *("--path", document, "--config", options),
            *("--output-path", tmp_path / PACKAGE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    client = GeneratedClient(real_server.url)
    yield client
    client.close()
    for name in [each for each in sys.modules if each.startswith(PACKAGE)]:
        del sys.modules[name]


def test_a_generated_client_goes_on_the_tour(
    real_server: ServerProcess, generated: GeneratedClient
):
    demo, models, operation = real_server.demo, generated.models, generated.operation
    ada, bob = (generated.signed_in(each) for each in demo["traders"][:2])

    resting = operation("orders.place_order")(
        client=ada,
        body=models.NewOrder(
            symbol="ACME",
            side=models.Side.SELL,
            type_=models.OrderType.LIMIT,
            time_in_force=models.TimeInForce.GTC,
            qty=100,
            limit_price=100.25,
            client_order_id="generated",
        ),
    )
    assert (resting.status, resting.qty) == (models.OrderStatus.NEW, "100")
    real_server.wait_caught_up()
    book = operation("market_data.get_book")("ACME", client=generated.anonymous)
    assert ["100.25", "100", 1] in book.asks

    bought = operation("orders.place_order")(
        client=bob,
        body=models.NewOrder(
            symbol="ACME",
            side=models.Side.BUY,
            type_=models.OrderType.MARKET,
            time_in_force=models.TimeInForce.DAY,
            qty=30,
        ),
    )
    assert bought.status is models.OrderStatus.FILLED

    real_server.wait_caught_up()
    bobs_account_is_listed(generated, bob)
    newest, *_ = operation("wallet.list_transactions")(client=ada)
    assert newest.symbol == "ACME"

    (open_order,) = operation("orders.list_orders")(client=ada)
    assert (open_order.id, open_order.filled_qty) == (resting.id, "30")
    fills = operation("orders.list_fills")(resting.id, client=ada)
    assert sum(int(each.qty) for each in fills) == 30
    canceled = operation("orders.cancel_all_orders")(client=ada)
    assert [each.id for each in canceled] == [resting.id]
    by_name = operation("orders.get_order_by_client_order_id")(
        client=ada, client_order_id="generated"
    )
    assert by_name.status is models.OrderStatus.CANCELED


def bobs_account_is_listed(generated: GeneratedClient, bob: Any) -> None:
    operation, anonymous = generated.operation, generated.anonymous
    held = operation("positions.list_positions")(client=bob)
    assert "ACME" in [each.symbol for each in held]
    wallet = operation("wallet.get_wallet")(client=bob)
    assert float(wallet.ledger) == float(wallet.held) + float(wallet.available)
    assert operation("account.get_account")(client=bob).cash == wallet.ledger
    price = operation("market_data.get_price")("ACME", client=anonymous)
    assert price.symbol == "ACME"
    trades = operation("market_data.list_trades")("ACME", client=anonymous)
    assert [each.qty for each in trades] == ["30"]


def test_a_generated_client_signs_up_and_an_admin_funds_the_account(
    real_server: ServerProcess, generated: GeneratedClient
):
    models, operation = generated.models, generated.operation
    admin = generated.signed_in(real_server.demo["admin"])
    body = models.Registration(
        email="generated@example.org",
        full_name="Gen Erated",
        password="a long password 1",
    )

    user = operation("auth.register")(client=generated.anonymous, body=body)
    operation("admin.deposit")(
        user.account_id,
        client=admin,
        body=models.NewDeposit(amount="250", reference="generated"),
    )
    operation("admin.halt_asset")("ACME", client=admin)
    operation("admin.resume_asset")("ACME", client=admin)

    gen = generated.signed_in({"email": body.email, "password": body.password})
    assert operation("wallet.get_wallet")(client=gen).available == "250"


def test_a_generated_client_reads_a_refusal(generated: GeneratedClient):
    module = importlib.import_module(f"{PACKAGE}.api.auth.login")
    request = generated.models.LoginRequest("nobody@example.org", "wrong password")

    answer = module.sync_detailed(client=generated.anonymous, body=request)

    assert answer.status_code == 401
    assert isinstance(answer.parsed, generated.models.Problem)
    assert answer.parsed.reason == "bad-credentials"

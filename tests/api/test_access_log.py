"""The access log: one line for each request, without what is secret or personal."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from infra.observe.access_log import AccessLog, access_log
from infra.observe.requests import UNKNOWN, Requests
from infra.runtime.clock import SystemClock
from infra.runtime.line_writer import LineWriter
from infra.runtime.settings import read_settings
from tests.support import calls
from tests.support.people import Person
from tests.support.served import Served

SECONDS = 30.0


class Log:
    """An access log in a file, for a server in memory."""

    def __init__(self, path: Path, *, readable: bool) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT)
        self._writer = LineWriter(self._file)
        self._log = AccessLog(self._writer, SystemClock().now, readable=readable)
        self.requests = Requests(self._log)

    def text(self) -> str:
        self._log.hand_over()
        self._writer.drain(SECONDS)
        return self._path.read_text()

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.text().splitlines()]

    def close(self) -> None:
        self._writer.drain(SECONDS)
        os.close(self._file)


@pytest.fixture
def log(tmp_path: Path, server: Served, ada: Person) -> Generator[Log]:
    """Log the requests of `server` from now on; ada has signed up before."""
    del ada
    log = Log(tmp_path / "log", readable=False)
    server.app.observe = log.requests.observe
    yield log
    log.close()


@pytest.fixture
def readable_log(tmp_path: Path, server: Served, ada: Person) -> Generator[Log]:
    del ada
    log = Log(tmp_path / "log", readable=True)
    server.app.observe = log.requests.observe
    yield log
    log.close()


async def test_a_line_names_the_request_its_caller_and_its_outcome(
    log: Log, ada: Person
):
    await ada.request(*calls.place(), X_Request_Id="r-1")

    (line,) = log.lines()
    assert line.pop("timestamp").endswith("Z")
    assert 0 < line.pop("duration_ms") < 10_000
    assert line == {
        "event": "request",
        "method": "POST",
        "path": "/v2/orders",
        "status": 200,
        "user_id": ada.user_id,
        "account_id": ada.account_id,
        "correlation_id": "r-1",
        "logger": "infra.observe.access_log",
        "level": "info",
    }


@pytest.mark.parametrize(
    "call",
    [
        calls.place(),
        calls.Call("POST", "/v2/orders:batch", {"orders": [calls.order()]}),
        calls.Call("DELETE", "/v2/positions/ACME"),
        calls.Call("PATCH", "/v2/account/configurations", {"suspend_trade": True}),
        calls.register("bea@example.org"),
    ],
    ids=lambda call: call.path,
)
async def test_a_command_without_an_id_of_the_client_has_that_of_its_facts(
    log: Log, server: Served, ada: Person, call: calls.Call
):
    answer = await ada.request(*call)

    (line,) = log.lines()
    (fact,) = server.log.reader.read(server.log.reader.head() - 1, 1).facts
    assert line["correlation_id"] == answer.headers["X-Request-Id"]
    if "batch" not in call.path:
        assert line["correlation_id"] == fact.event.meta.correlation_id


async def test_a_failed_login_has_the_id_of_its_record(log: Log, server: Served):
    async with server.client() as client:
        method, path, body = calls.log_in("nobody@example.org")
        answer = await client.request(method, path, json=body)
    await server.record_refusals()

    (line,) = log.lines()
    (fact,) = server.log.reader.read(server.log.reader.head() - 1, 1).facts
    assert line["correlation_id"] == answer.headers["X-Request-Id"]
    assert line["correlation_id"] == fact.event.meta.correlation_id


async def test_a_query_has_only_the_id_of_its_client(log: Log, ada: Person):
    for path in ("/v2/account", "/v2/books/ACME"):
        plain = await ada.request("GET", path)
        named = await ada.request("GET", path, X_Request_Id="r-4")

        assert "X-Request-Id" not in plain.headers
        assert named.headers.get_list("X-Request-Id") == ["r-4"]

    ids = [line.get("correlation_id") for line in log.lines()]
    assert ids == [None, "r-4"] * 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("POST", "/v2/orders", calls.order(symbol="NOPE"), 422, "unknown-symbol"),
        ("POST", "/v2/orders", None, 400, "malformed-body"),
        ("GET", "/v2/orders/nothing", None, 422, "invalid-parameter"),
        ("GET", "/v2/books/NOPE", None, 404, "not-found"),
        ("POST", "/v2/admin/assets", {}, 403, "not-allowed"),
        ("GET", "/no/such/path", None, 404, "not-found"),
        ("PUT", "/v2/orders", None, 405, "method-not-allowed"),
        ("HEAD", "/v2/orders/nothing", None, 422, "invalid-parameter"),
    ],
)
async def test_a_refused_request_leaves_its_reason(
    log: Log, ada: Person, method: str, path: str, body: Any, status: int, reason: str
):
    await ada.request(method, path, body, X_Request_Id="r-2")

    (line,) = log.lines()
    assert (line["method"], line["path"]) == (method, path)
    assert (line["status"], line["reason"]) == (status, reason)
    assert line["correlation_id"] == "r-2"


async def test_a_batch_leaves_each_reason_once(log: Log, ada: Person):
    orders = [calls.order(), *[calls.order(symbol="NOPE")] * 3, calls.order(qty=0)]

    await ada.request("POST", "/v2/orders:batch", {"orders": orders})

    (line,) = log.lines()
    assert line["reason"] == "unknown-symbol,invalid-parameter"
    assert log.requests.orders_refused == 4


async def test_a_defect_is_found_by_the_id_of_its_answer(
    log: Log, server: Served, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    def defect(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(server.writer, "submit", defect)

    answer = await ada.order()

    (line,) = log.lines()
    assert (line["status"], line["reason"]) == (500, "internal")
    assert line["correlation_id"] == answer.headers["X-Request-Id"]


async def test_a_line_has_no_query_no_secret_and_no_address(log: Log, server: Served):
    async with server.client() as client:
        await client.get("/v2/assets?token=hunter2")
        await client.get("/v2/assets/ann@example.org")
        await client.get("/v2/assets/eyJh.eyJi.sig")
        await client.get("/x", headers={"X-Request-Id": "ann@example.org"})
        await client.request(*calls.log_in("ann@example.org", "hunter2")[:2])
        await client.get("/" + "y" * 500)

    text = log.text()
    for secret in ("hunter2", "ann@", "example.org", "eyJ"):
        assert secret not in text
    assert max(map(len, text.splitlines())) < 500


async def test_a_terminal_gets_a_line_for_a_person(readable_log: Log, ada: Person):
    await ada.request(*calls.place(symbol="NOPE"), X_Request_Id="r-3")
    await ada.request("GET", "/%0aforged")

    first, second = readable_log.text().splitlines()
    assert "[info     ] request 422 POST '/v2/orders'" in first
    assert first.endswith(f"unknown-symbol {ada.user_id} {ada.account_id} r-3")
    assert r"'/\nforged'" in second


@pytest.mark.parametrize(
    "variables",
    [{"BOURSE_ACCESS_LOG": "0"}, {"BOURSE_LOG_LEVEL": "warning"}],
)
def test_a_setting_turns_the_access_log_off(variables: dict[str, str]):
    with Path(os.devnull).open("wb") as nowhere:
        writer = LineWriter(nowhere.fileno())

        assert access_log(read_settings(variables), writer, SystemClock().now) is None
        assert access_log(read_settings({}), writer, SystemClock().now) is not None


async def test_many_paths_and_methods_have_one_label(server: Served, ada: Person):
    requests = Requests()
    server.app.observe = requests.observe

    for number in range(10_000):
        await ada.request(f"M{number}" if number % 2 else "GET", f"/{number}/x")
    await ada.request("BREW", "/v2/orders")
    for number in range(10):
        await ada.request("GET", f"/v2/assets/A{number}")

    counts = {key: h.cumulative()[-1][1] for key, h in requests.durations.items()}
    assert counts == {
        (UNKNOWN, UNKNOWN, 4): 10_001,
        ("/v2/assets/{symbol}", "GET", 4): 10,
    }

"""The database that commit a43e954 wrote: this version starts on it and agrees with it.

`tests/golden/log_a43e954/README.md` says what the database holds and how it was made.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from commands.writer.recovery import recover
from domain.accounts.wallet import Wallet
from domain.events.register import EVENTS, tag_of
from domain.ids import LOG_START
from domain.market.market import Market
from domain.market.order import Order
from domain.money import Price, Quantity
from domain.vocabulary import BUY, SELL
from infra.audit.sign_ins import SignInTable
from infra.audit.verify import Audit
from infra.log.event_store import PostgresEventStore
from infra.log.snapshots import PostgresSnapshotStore
from infra.security.credentials import PostgresCredentials
from tests.support.server_process import ServerProcess

FOLDER = Path(__file__).parents[1] / "golden" / "log_a43e954"
EXPECTED = json.loads((FOLDER / "expected.json").read_bytes())
USERS = {user["email"]: user for user in EXPECTED["users"]}


def lines(name: str) -> list[dict[str, Any]]:
    """Return the records of a compressed fixture file, one JSON text a line."""
    text = gzip.decompress((FOLDER / name).read_bytes())
    return [json.loads(line) for line in text.splitlines()]


def load(database_url: str) -> None:
    """Recreate the old database in an empty one."""
    dump = gzip.decompress((FOLDER / "database.sql.gz").read_bytes()).decode()
    with psycopg.connect(database_url) as connection:
        connection.execute(dump.encode())


@pytest.fixture
def old_url(database_url: str) -> str:
    """An old database for one test."""
    load(database_url)
    return database_url


@pytest.fixture
def store(old_url: str) -> Generator[PostgresEventStore]:
    with PostgresEventStore(old_url) as store:
        yield store


# --- the log ---


def test_the_old_database_holds_every_kind_of_fact_and_all_are_still_known(
    old_url: str,
):
    with psycopg.connect(old_url) as connection:
        rows = connection.execute("SELECT topic, count(*) FROM events GROUP BY topic")
        topics = dict(rows.fetchall())

    assert topics == EXPECTED["events"]
    assert topics.keys() <= {tag_of(kind) for kind in EVENTS}


def test_every_fact_of_the_old_log_is_read(store: PostgresEventStore):
    facts = [fact for part in store.reader.replay(0) for fact in part.facts]

    assert store.reader.head() == EXPECTED["head"]
    assert Counter(tag_of(type(f.event)) for f in facts) == EXPECTED["events"]
    assert {fact.stream: fact.version for fact in facts} == EXPECTED["streams"]


# --- the state of the writer ---


def account_of(wallet: Wallet) -> dict[str, Any]:
    return {
        "kind": wallet.kind,
        "ledger": wallet.ledger,
        "held": wallet.held,
        "self_trade_prevention": wallet.self_trade_prevention,
        "suspended": wallet.suspended,
        "holdings": {
            symbol: [holding.quantity, holding.reserved, holding.cost]
            for symbol, holding in wallet.holdings.items()
        },
    }


def levels(orders: list[Order]) -> list[list[Price | Quantity | int | None]]:
    """Return price, quantity and number of orders of each level, in order."""
    quantities = defaultdict[Price | None, Quantity](Quantity)
    numbers = Counter[Price | None]()
    for order in orders:
        quantities[order.limit_price] += order.leaves
        numbers[order.limit_price] += 1
    return [[price, quantities[price], numbers[price]] for price in quantities]


def market_of(market: Market) -> dict[str, Any]:
    bids, asks = list(market.book.resting(BUY)), list(market.book.resting(SELL))
    return {
        "session_date": market.session_date,
        "halt_reason": market.halt_reason,
        "last_price": market.last_price,
        "previous_close": market.previous_close,
        "trades": market.trades,
        "bids": levels(bids),
        "asks": levels(asks),
        "open_orders": [order.order_id for order in (*bids, *asks)],
    }


def without(states: dict[str, dict[str, Any]], *names: str) -> dict[str, Any]:
    return {
        key: {name: value for name, value in state.items() if name not in names}
        for key, state in states.items()
    }


@pytest.mark.parametrize("after_snapshot", [False, True])
def test_the_writer_recovers_the_state_that_the_old_one_had(
    after_snapshot: bool, store: PostgresEventStore
):
    snapshots = PostgresSnapshotStore(store.datastore) if after_snapshot else None

    exchange = recover(store.reader, snapshots)

    assert exchange.position == EXPECTED["head"]
    accounts = {name: account_of(each) for name, each in exchange.wallets.items()}
    assert accounts == without(EXPECTED["accounts"], "holds", "reserves")
    markets = {name: market_of(each) for name, each in exchange.markets.items()}
    assert markets == without(EXPECTED["markets"], "listing")


def test_the_old_log_passes_the_audit(store: PostgresEventStore):
    position, rows = PostgresCredentials(store.datastore).all()
    audit = Audit(
        store.reader,
        snapshot=PostgresSnapshotStore(store.datastore).newest(),
        credentials=SignInTable(rows, position),
    )

    audit.run()

    report = audit.report(None, seconds=0)
    assert report.violations == []
    assert report.passed
    assert report.events == EXPECTED["head"]
    # No server ran, and this version may not read the form of the old snapshot.
    looked_at = {check.name for check in report.checks if check.counted}
    assert {each.name for each in report.checks} - looked_at <= {"live", "snapshot"}


# --- a server on the old database ---


class OldServer:
    """A server of this version on an old database, and its users."""

    def __init__(self, process: ServerProcess, database_url: str) -> None:
        self.process = process
        self.database_url = database_url
        self.client = httpx.Client(base_url=process.url, timeout=30)
        self._tokens: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        *,
        email: str | None,
        key: str | None = None,
        body: str | None = None,
    ) -> httpx.Response:
        headers: dict[str, str] = {}
        if email is not None:
            headers["Authorization"] = f"Bearer {self._token(email)}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else body.encode()
        return self.client.request(method, path, content=content, headers=headers)

    def _token(self, email: str) -> str:
        if email not in self._tokens:
            self._tokens[email] = self.process.token(USERS[email])
        return self._tokens[email]

    def head(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT max(notification_id) FROM events")
            return row.fetchall()[0][0]

    def position_of_key(self, key: str) -> int:
        """Return the log position of the first fact under an `Idempotency-Key`."""
        with PostgresEventStore(self.database_url) as store:
            return next(
                fact.position
                for part in store.reader.replay(LOG_START)
                for fact in part.facts
                if fact.event.meta.key == key
            )

    def audit(self) -> dict[str, Any]:
        audited = self.process.command("audit", "verify", "--json")
        assert audited.returncode == 0, audited.stdout + audited.stderr
        return json.loads(audited.stdout)


@contextmanager
def serving(database_url: str, home: Path) -> Generator[OldServer]:
    process = ServerProcess(home, {"DATABASE_URL": database_url})
    try:
        process.start().wait_ready("leader").wait_caught_up()
        server = OldServer(process, database_url)
        with server.client:
            yield server
    finally:
        process.end()


@pytest.fixture(scope="module")
def server(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[OldServer]:
    """One server for the tests that append nothing. Its state comes from the log."""
    address, _, _ = postgres_url.rpartition("/")
    name = sql.Identifier(f"golden_{worker_id}")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        database_url = f"{address}/golden_{worker_id}"
        load(database_url)
        with psycopg.connect(database_url) as old:
            old.execute("DELETE FROM snapshot_index")
        with serving(database_url, tmp_path_factory.mktemp("golden")) as server:
            yield server
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def answer(response: httpx.Response) -> dict[str, Any]:
    """Return what a client sees of an answer, in the form of the fixture."""
    position = response.headers.get("Bourse-Log-Position")
    return {
        "status": response.status_code,
        "body": response.json() if response.content else None,
        "log_position": None if position is None else int(position),
        "replayed": response.headers.get("Idempotent-Replayed") == "true",
    }


def test_every_user_of_the_old_log_logs_in(server: OldServer):
    for email, user in USERS.items():
        account = server.ask("GET", "/v2/account", email=email)

        assert account.json()["id"] == user["account_id"]


def test_old_administrators_are_administrators(server: OldServer):
    # Only administrators may call this: a refusal would append a fact.
    administrators = [each for each in USERS if "admin" in USERS[each]["roles"]]

    for email in administrators:
        assert server.ask("GET", "/v2/audit/state", email=email).status_code == 200
    assert len(administrators) == 3


def test_queries_are_answered_as_the_old_server_answered_them(server: OldServer):
    other: list[str] = []
    for query in lines("queries.jsonl.gz"):
        response = server.ask("GET", query["path"], email=query["as"])
        if (response.status_code, response.json()) != (query["status"], query["body"]):
            other.append(f"{query['path']} as {query['as']}: {response.text[:500]}")

    assert other == []


def due(server: OldServer, repeat: dict[str, Any]) -> dict[str, Any]:
    """Return the answer that a repeated command gets.

    A key gets its first answer. A client order id gets its order as it stands now,
    while the old server repeated the first answer. The old server did not recognize the
    repeat of a keyed command without an accepted part.
    """
    answered, now = repeat["answer"], repeat.get("record")
    if repeat["key"] is None and repeat["path"] == "/v2/orders:batch":
        now = [as_it_stands(server, repeat, part) for part in answered["body"]]
    if answered["status"] == HTTPStatus.MULTI_STATUS and not answered["replayed"]:
        used = server.position_of_key(repeat["key"])
        return answered | {"replayed": True, "log_position": used}
    if repeat["key"] is not None or now is None:
        return answered
    return answered | {"body": now, "log_position": EXPECTED["head"]}


def as_it_stands(
    server: OldServer, repeat: dict[str, Any], part: dict[str, Any]
) -> dict[str, Any]:
    """Return one order of a batch, asked for by its id."""
    order_id = part["body"]["id"]
    now = server.ask("GET", f"/v2/orders/{order_id}", email=repeat["as"])
    return part | {"body": now.json()}


def test_repeated_commands_get_the_answers_that_are_due(server: OldServer):
    before, other = server.head(), list[str]()
    for repeat in lines("repeats.jsonl.gz"):
        response = server.ask(
            repeat["method"],
            repeat["path"],
            email=repeat["as"],
            key=repeat["key"],
            body=repeat["body"],
        )
        if answer(response) != due(server, repeat):
            other.append(f"{repeat['name']}: {answer(response)}")

    assert other == []
    assert server.head() == before


def test_the_server_and_its_views_pass_the_audit(server: OldServer):
    report = server.audit()

    checks = {check["name"]: check for check in report["checks"]}
    assert report["passed"]
    assert checks["live"]["counted"] == len(EXPECTED["streams"])
    assert checks["views"]["counted"]
    assert server.head() == EXPECTED["head"]


def test_the_views_are_rebuilt_from_the_old_log(server: OldServer):
    rebuilt = server.process.command("rebuild", "--all", "--json")

    assert rebuilt.returncode == 0, rebuilt.stderr
    reports = json.loads(rebuilt.stdout)
    assert {report["log_position"] for report in reports} == {EXPECTED["head"]}
    assert [report for report in reports if report["differing"]] == []


# --- new commands ---


def test_the_old_database_goes_on_under_this_version(old_url: str, tmp_path: Path):
    symbol, best = "GLBX", EXPECTED["markets"]["GLBX"]["asks"][0]
    buyer = next(email for email in USERS if email.startswith("trader3"))
    order = {
        "symbol": symbol,
        "side": "buy",
        "qty": 1,
        "type": "limit",
        "time_in_force": "day",
        "limit_price": str(best[0] / 10_000),
    }
    newcomer = {"email": "new@example.org", "password": "a new password"}

    with serving(old_url, tmp_path) as server:
        filled = server.ask("POST", "/v2/orders", email=buyer, body=json.dumps(order))
        body = json.dumps(newcomer | {"full_name": "New"})
        server.ask("POST", "/auth/register", email=None, body=body)
        token = server.process.token(newcomer)
        saved = server.process.command("snapshot", "--json")
        report = server.audit()

    assert filled.json()["status"] == "filled"
    assert token
    assert saved.returncode == 0, saved.stderr
    assert report["passed"]
    assert report["log_position"] > EXPECTED["head"]

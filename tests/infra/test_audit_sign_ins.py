"""An audit detects every credential that the log does not explain."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from commands.companions import RolesOf, SignIn
from domain.events.user import RoleGranted, UserRegistered
from domain.ids import LOG_START, LogPosition
from domain.vocabulary import Role
from infra.audit.findings import Violation
from infra.audit.sign_ins import SignInTable
from infra.audit.verify import Audit
from infra.log.connection import Datastore, connect
from infra.log.event_store import PostgresEventStore
from infra.security.credentials import PostgresCredentials
from tests.infra.forged_logs import failed
from tests.infra.sample_events import SampleStream
from tests.support.facts import log_of
from tests.support.flow import Flow

FLOW = Flow(4)
FACTS = FLOW.run(100)
HEAD = FACTS[-1].position


def credentials_of(flow: Flow) -> dict[str, SignIn]:
    """Return the rows that the commands of a flow commit, by user."""
    rows: dict[str, SignIn] = {}
    for each in flow.exchange.companions:
        if isinstance(each, SignIn):
            rows[each.user_id] = each
        elif isinstance(each, RolesOf):
            rows[each.user_id] = replace(rows[each.user_id], roles=each.roles)
    return rows


ROWS = credentials_of(FLOW)
ADMIN = next(row for row in ROWS.values() if Role.ADMIN in row.roles)
TRADER = next(row for row in ROWS.values() if Role.ADMIN not in row.roles)


def audited(rows: list[SignIn], position: LogPosition = HEAD) -> list[Violation]:
    audit = Audit(log_of(FACTS), credentials=SignInTable(rows, position))
    audit.run()
    report = audit.report(None, seconds=0)
    assert failed(report) <= {"credentials"}
    return report.violations


def forged(row: SignIn, **fields: object) -> list[SignIn]:
    return [replace(each, **fields) if each == row else each for each in ROWS.values()]


@pytest.mark.rule("USER-05")
def test_credentials_that_the_log_explains_pass():
    assert audited(list(ROWS.values())) == []


FORGERIES: dict[str, tuple[Callable[[], list[SignIn]], str]] = {
    "a role": (
        lambda: forged(TRADER, roles=(Role.TRADER, Role.ADMIN)),
        "the row has the roles trader, admin, the log gives trader",
    ),
    "no role": (
        lambda: forged(ADMIN, roles=()),
        "the row has the roles (none), the log gives trader, admin",
    ),
    "another account": (
        lambda: forged(TRADER, account_id=ADMIN.account_id),
        "the row has another address or account than the registration",
    ),
    "another address": (
        lambda: forged(TRADER, claim="stranger"),
        "the row has another address or account than the registration",
    ),
    "a stranger": (
        lambda: [*ROWS.values(), SignIn("x", "x", "x", "hash", (Role.TRADER,))],
        "no fact registers this user",
    ),
    "a missing row": (
        lambda: [each for each in ROWS.values() if each != TRADER],
        "the log registers this user, the table has no row",
    ),
}


@pytest.mark.rule("USER-05")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_credentials_that_the_log_does_not_explain_are_violations(forgery: str):
    rows, what = FORGERIES[forgery]

    (violation,) = audited(rows())

    assert violation.check == "credentials"
    assert violation.what == what


def test_facts_after_the_table_was_read_are_no_violations():
    registered = [f for f in FACTS if isinstance(f.event, UserRegistered)]
    granted = next(f for f in FACTS if isinstance(f.event, RoleGranted))

    assert audited([], LOG_START) == []
    first = ROWS[_user_of(registered[0].stream)]
    assert audited([_as_registered(first)], registered[0].position) == []
    before = LogPosition(granted.position - 1)
    rows = [
        _as_registered(ROWS[_user_of(each.stream)])
        for each in registered
        if each.position <= before
    ]
    assert audited(rows, before) == []


def _user_of(stream: str) -> str:
    return stream.removeprefix("user-")


def _as_registered(row: SignIn) -> SignIn:
    return replace(row, roles=(Role.TRADER,))


def test_the_table_is_read_with_the_head_of_the_log(database_url: str):
    with PostgresEventStore(database_url) as store, Datastore(database_url) as pool:
        credentials = PostgresCredentials(pool)
        assert credentials.all() == (0, [])
        writer = store.acquire()
        assert writer is not None

        writer.append(SampleStream().events(), [TRADER])
        writer.close()

        position, rows = credentials.all()
        assert rows == [TRADER]
        assert position == store.reader.head() > 0
        with connect(database_url, name="test") as connection:
            connection.execute("DELETE FROM credentials")
        assert credentials.all() == (position, [])

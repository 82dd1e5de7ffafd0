"""Credentials, and the migration of those that an older version left in the log."""

from collections.abc import Generator

import psycopg
import pytest

from commands.companions import SignIn
from commands.ports import LogLost
from domain.vocabulary import Role
from infra.log.connection import Datastore, connect
from infra.log.event_store import PostgresEventStore
from infra.log.migrations import migrate
from infra.security.credentials import PostgresCredentials
from tests.infra.sample_events import SampleStream
from tests.infra.test_migrations import UNNUMBERED

ALICE = SignIn("claim-alice", "alice", "account-alice", "hash-alice", (Role.TRADER,))
BOB = SignIn("claim-bob", "bob", "account-bob", "hash-bob", (Role.TRADER, Role.ADMIN))
META = '"meta":{"at":5,"actor":"a","command_id":"c"}'


@pytest.fixture
def datastore(database_url: str) -> Generator[Datastore]:
    with Datastore(database_url) as datastore:
        yield datastore


def register(database_url: str, user: SignIn) -> None:
    """Register a user as an older writer did, with the hash in the fact."""
    registered = (
        f'{{"type":"user.registered",{META},"account_id":"{user.account_id}",'
        f'"claim":"{user.claim}","email_sealed":"e","full_name_sealed":"n",'
        f'"password_hash":"{user.password_hash}"}}'
    )
    facts = [("user.registered", registered)]
    for role in user.roles[1:]:
        granted = f'{{"type":"user.role-granted",{META},"role":"{role}"}}'
        facts.append(("user.role-granted", granted))
    with connect(database_url, name="test") as connection:
        for version, (topic, state) in enumerate(facts, start=1):
            connection.execute(
                "INSERT INTO events VALUES (%s, %s, %s, %s)",
                (f"user-{user.user_id}", version, topic, state.encode()),
            )


def lead_for_a_moment(store: PostgresEventStore) -> None:
    writer = store.acquire()
    assert writer is not None
    writer.close()


@pytest.mark.rule("USER-05")
def test_a_migration_reads_the_credentials_of_older_facts(
    database_url: str, datastore: Datastore
):
    with connect(database_url, name="test") as connection:
        connection.execute(UNNUMBERED.read_bytes())
    register(database_url, ALICE)
    register(database_url, BOB)

    migrate(database_url)

    credentials = PostgresCredentials(datastore)
    assert credentials.of("claim-alice") == ALICE
    assert credentials.of("claim-bob") == BOB


@pytest.mark.rule("USER-05")
def test_the_next_writer_reads_what_an_older_one_left_in_the_log_alone(
    database_url: str, datastore: Datastore
):
    with PostgresEventStore(database_url) as store:
        lead_for_a_moment(store)
        # An older version leads for one epoch and writes no credentials.
        register(database_url, BOB)
        with connect(database_url, name="test") as connection:
            connection.execute("UPDATE log_lease SET epoch = epoch + 1")
            connection.execute("UPDATE log_heartbeat SET epoch = epoch + 1")

        lead_for_a_moment(store)

    assert PostgresCredentials(datastore).of("claim-bob") == BOB


def test_a_writer_that_follows_one_of_its_kind_reads_no_older_facts(
    database_url: str, datastore: Datastore
):
    with PostgresEventStore(database_url) as store:
        lead_for_a_moment(store)
        register(database_url, BOB)

        lead_for_a_moment(store)

    assert PostgresCredentials(datastore).of("claim-bob") is None


def test_an_append_of_a_past_epoch_keeps_no_credentials(
    database_url: str, datastore: Datastore
):
    with PostgresEventStore(database_url) as store:
        writer = store.acquire()
        assert writer is not None
        with connect(database_url, name="test") as connection:
            connection.execute("UPDATE log_lease SET epoch = epoch + 1")

        with pytest.raises(LogLost):
            writer.append(SampleStream().events(), [ALICE])
        writer.close()

    assert PostgresCredentials(datastore).of("claim-alice") is None


def test_a_version_without_migrations_refuses_the_database(database_url: str):
    migrate(database_url)

    with (
        connect(database_url, name="test") as connection,
        pytest.raises(psycopg.errors.RaiseException, match="newer version of Bourse"),
    ):
        # The start of an older version.
        connection.execute(UNNUMBERED.read_bytes())

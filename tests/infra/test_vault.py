"""Personal data and the secret of the installation, on Postgres and in memory."""

from collections.abc import Generator

import pytest

from infra.log.connection import Datastore
from infra.log.migrations import migrate
from infra.security.installation_secret import (
    InstallationKeys,
    WrongSecret,
    installation_keys,
)
from infra.security.personal_data import PostgresKeyTable, Vault
from tests.infra.contract_vault import VaultContract
from tests.support.memory import MemoryKeyTable, memory_vault


@pytest.fixture
def datastore(database_url: str) -> Generator[Datastore]:
    migrate(database_url)
    with Datastore(database_url) as datastore:
        yield datastore


class TestMemory(VaultContract):
    @pytest.fixture
    def table(self) -> MemoryKeyTable:
        return MemoryKeyTable()

    @pytest.fixture
    def vault(self, table: MemoryKeyTable) -> Vault:
        return memory_vault(table)

    @pytest.fixture
    def other(self, table: MemoryKeyTable) -> Vault:
        return memory_vault(table)


class TestPostgres(VaultContract):
    @pytest.fixture
    def table(self, datastore: Datastore) -> PostgresKeyTable:
        return PostgresKeyTable(datastore)

    @pytest.fixture
    def vault(self, table: PostgresKeyTable, datastore: Datastore) -> Vault:
        return Vault(table, installation_keys(datastore, None))

    @pytest.fixture
    def other(self, table: PostgresKeyTable, datastore: Datastore) -> Vault:
        return Vault(table, installation_keys(datastore, None))


def test_keys_are_of_one_purpose_and_one_secret():
    keys, other = InstallationKeys("one"), InstallationKeys("two")

    assert keys.token_key() == InstallationKeys("one").token_key()
    assert len({keys.token_key(), other.token_key(), keys.derive("else")}) == 3


def test_servers_without_a_secret_agree_on_one_that_is_made(datastore: Datastore):
    first, second = (installation_keys(datastore, None) for _ in range(2))

    assert first.token_key() == second.token_key()


@pytest.mark.parametrize(
    ("first", "second"), [("one", "two"), ("one", None), (None, "one")]
)
def test_a_server_with_another_secret_does_not_start(
    datastore: Datastore, first: str | None, second: str | None
):
    installation_keys(datastore, first)

    with pytest.raises(WrongSecret, match="BOURSE_SECRET_KEY"):
        installation_keys(datastore, second)

    installation_keys(datastore, first)

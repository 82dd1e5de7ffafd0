"""The contract of every vault, on any table of keys."""

import pytest

from infra.security.personal_data import KeyTable, SealBroken, Vault


class VaultContract:
    def test_what_is_sealed_can_be_opened_by_its_user_only(self, vault: Vault):
        sealed = vault.seal("alice", "Alice Ä. Liddell")
        vault.seal("bob", "Bob")

        assert "Alice" not in sealed
        assert vault.open("alice", sealed) == "Alice Ä. Liddell"
        assert vault.open("bob", sealed) is None
        assert vault.open("carol", sealed) is None

    def test_the_same_text_never_looks_the_same(self, vault: Vault):
        assert vault.seal("alice", "Alice") != vault.seal("alice", "Alice")

    def test_an_erased_person_is_gone(self, vault: Vault):
        before = vault.seal("alice", "Alice")

        vault.erase("alice")

        assert vault.open("alice", before) is None
        after = vault.seal("alice", "Another")
        assert vault.open("alice", before) is None
        assert vault.open("alice", after) == "Another"

    def test_another_server_opens_it_too(self, vault: Vault, other: Vault):
        sealed = vault.seal("alice", "Alice")

        assert other.open("alice", sealed) == "Alice"
        assert vault.open("alice", other.seal("alice", "Alice L.")) == "Alice L."

    def test_other_servers_forget_an_erased_person_too(
        self, vault: Vault, other: Vault, monkeypatch: pytest.MonkeyPatch
    ):
        sealed = vault.seal("alice", "Alice")
        assert other.open("alice", sealed) == "Alice"
        vault.erase("alice")

        monkeypatch.setattr("infra.security.personal_data.CACHE_SECONDS", 0)

        assert other.open("alice", sealed) is None

    def test_one_key_stands_where_two_are_made_at_once(self, table: KeyTable):
        assert table.add("alice", b"first") == b"first"
        assert table.add("alice", b"second") == b"first"
        assert table.get("alice") == b"first"

    @pytest.mark.parametrize("sealed", ["", "nonsense!", "AAAA", "é"])
    def test_data_that_was_never_sealed_is_reported(self, vault: Vault, sealed: str):
        with pytest.raises(SealBroken):
            vault.open("alice", sealed)

    def test_tampering_is_reported(self, vault: Vault):
        sealed = vault.seal("alice", "Alice")
        changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]

        with pytest.raises(SealBroken):
            vault.open("alice", changed)

    def test_a_changed_key_is_reported(self, vault: Vault, table: KeyTable):
        table.add("mallory", b"not a key that this installation wrapped")

        with pytest.raises(SealBroken):
            vault.seal("mallory", "Mallory")

    def test_one_address_has_one_claim_however_it_is_written(self, vault: Vault):
        claim = vault.claim("alice@example.com")

        assert claim == vault.claim("  Alice@Example.COM\n")
        assert claim != vault.claim("alicia@example.com")
        assert vault.claim("zo\u00eb@x.org") == vault.claim("zoe\u0308@x.org")
        assert len(claim) == 64

"""A command reports failures of its surroundings in a sentence, and in JSON."""

from pathlib import Path

import psycopg
import pytest

from infra.log.migrations import migrate
from tests.support.command_line import Bourse
from tests.support.orderflows import SMALL, write_flow


def test_wrong_settings_are_named(bourse: Bourse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BOURSE_PORT", "many")

    refusal = bourse.json("snapshot", code=1)

    assert refusal["error"] == "settings-wrong"
    assert "BOURSE_PORT" in refusal["message"]


def test_a_database_that_does_not_answer_is_reported_in_a_sentence(
    bourse: Bourse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    for words in (["audit", "verify"], ["backup", "x"], ["snapshot"]):
        assert bourse.json(*words, code=1)["error"] == "log-unavailable"


def test_a_database_that_is_not_as_it_was_set_up_is_reported_in_a_sentence(
    bourse: Bourse,
):
    migrate(bourse.database_url)
    with psycopg.connect(bourse.database_url) as connection:
        connection.execute("DROP TABLE snapshot_index")

    refusal = bourse.json("snapshot", code=1)

    assert refusal["error"] == "database-refused"
    assert '"snapshot_index" does not exist' in refusal["message"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"port": 7}'])
@pytest.mark.parametrize(
    ("kind", "words"),
    [("postgres", ["snapshot"]), ("redis", ["rebuild", "--all"])],
)
def test_a_damaged_file_of_an_embedded_server_is_reported(
    kind: str,
    words: list[str],
    content: bytes,
    bourse: Bourse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.delenv("DATABASE_URL" if kind == "postgres" else "REDIS_URL")
    memory = tmp_path / "home" / kind / "server.json"
    memory.parent.mkdir(parents=True)
    memory.write_bytes(content)

    refusal = bourse.json(*words, code=1)

    assert refusal["error"] == "local-server"
    assert f"{memory} is damaged" in refusal["message"]


def test_a_redis_that_does_not_answer_is_reported(
    bourse: Bourse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    assert bourse.json("rebuild", "--all", code=1)["error"] == "store-down"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no server runs in"),
        (["--url", "http://127.0.0.1:1"], "does not answer"),
        (["--url", "http://localhost:abc"], "is not an address like"),
    ],
)
def test_a_replay_without_a_server_says_what_to_do(
    words: list[str], sentence: str, bourse: Bourse, tmp_path: Path
):
    flow = write_flow(tmp_path, SMALL)

    refusal = bourse.json("replay", str(flow), *words, code=1)

    assert refusal["error"] == "server-unreachable"
    assert sentence in refusal["message"]


def test_a_file_that_is_no_flow_is_reported(bourse: Bourse, tmp_path: Path):
    refusal = bourse.json("replay", str(tmp_path / "absent"), code=1)

    assert refusal["error"] == "flow-unreadable"

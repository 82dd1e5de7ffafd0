"""`make clean-data` deletes what Bourse made for one home, and nothing else."""

import io
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from infra.local.account import make_folder
from infra.local.folder import Remembered, ServerFolder, locked
from infra.local.removal import StrangeFolder, belongings, clean_data
from infra.local.servers import start_postgres, start_redis
from infra.local.serving import is_served, serving
from infra.runtime.settings import Settings


@pytest.fixture
def home(server_home: Path) -> Path:
    """A home with the data of embedded servers, which are running."""
    start_postgres(server_home)
    start_redis(server_home)
    (server_home / "demo.json").write_text("{}")
    # The fixture's own mark, which Bourse does not know.
    (server_home / "owner").unlink()
    return server_home


@pytest.fixture
def elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[tuple[Path, Path]]:
    """A home whose data is in a folder of ours outside of it, next to another's."""
    ours = tmp_path / "var"
    monkeypatch.setattr("infra.local.account.SYSTEM_FOLDER", ours)
    data, other = ours / ("a1" * 8), ours / ("b2" * 8)
    for folder in (data, other):
        make_folder(folder / "data")
    with locked(tmp_path / "home" / "postgres") as folder:
        folder.remember(Remembered("password", 5432, str(data)))
    yield tmp_path / "home", data
    assert other.exists()


def test_after_yes_the_servers_stop_and_the_home_is_gone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    url = start_postgres(home).url
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    report = clean_data(Settings(home=home), is_sure=False)

    assert not home.exists()
    assert str(home) in report
    shown = capsys.readouterr().out
    assert f"MB  {home}/postgres\n" in shown
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.parametrize("typed", ["", "y\n", "no\n", "YES\n"])
def test_without_a_typed_yes_nothing_is_deleted(
    elsewhere: tuple[Path, Path], typed: str, monkeypatch: pytest.MonkeyPatch
):
    home, data = elsewhere
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

    with pytest.raises(SystemExit, match="Nothing was deleted"):
        clean_data(Settings(home=home), is_sure=False)

    assert (home / "postgres").exists()
    assert data.exists()


def test_the_folder_outside_of_the_home_goes_and_its_neighbor_stays(
    elsewhere: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
):
    home, data = elsewhere

    clean_data(Settings(home=home), is_sure=True)

    assert not home.exists()
    assert not data.exists()
    assert f"MB  {data}\n" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["/", "/etc", "/var/lib/bourse/postgres-1"])
def test_a_folder_that_is_not_ours_is_never_deleted(tmp_path: Path, place: str):
    with locked(tmp_path / "postgres") as folder:
        folder.remember(Remembered("password", 5432, place))

    with pytest.raises(StrangeFolder, match="Nothing was deleted"):
        clean_data(Settings(home=tmp_path), is_sure=True)

    assert (tmp_path / "postgres").exists()


def test_what_bourse_did_not_make_stays(elsewhere: tuple[Path, Path]):
    home, _ = elsewhere
    (home / "notes").write_text("mine")
    make_folder(home / "redis")

    report = clean_data(Settings(home=home), is_sure=True)

    assert sorted(each.name for each in home.iterdir()) == ["notes", "redis"]
    assert "notes, redis" in report


def test_a_folder_that_was_never_a_home_stays(tmp_path: Path):
    make_folder(tmp_path / "postgres" / "src")
    (tmp_path / "demo.json").write_text("{}")

    assert belongings(tmp_path) == []
    assert "no data of Bourse" in clean_data(Settings(home=tmp_path), is_sure=True)

    assert (tmp_path / "postgres" / "src").exists()
    assert not is_served(tmp_path)


def test_a_home_that_a_server_serves_stays(elsewhere: tuple[Path, Path]):
    home, data = elsewhere

    with serving(home), pytest.raises(SystemExit, match="make stop"):
        clean_data(Settings(home=home), is_sure=True)

    assert data.exists()


def test_a_postgres_that_another_server_uses_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.local.postgres.ALONE_SECONDS", 0.5)
    url = start_postgres(home).url

    with (
        psycopg.connect(url, application_name="bourse-writer"),
        pytest.raises(SystemExit, match="Another server"),
    ):
        clean_data(Settings(home=home), is_sure=True)

    assert ServerFolder(home / "postgres").is_ours()


def test_scripts_answer_by_a_variable(elsewhere: tuple[Path, Path]):
    home, _ = elsewhere
    words = [sys.executable, "-m", "infra.local.removal"]
    # This process has another folder for data, so the command finds a strange one.
    with locked(home / "postgres") as folder:
        folder.remember(Remembered("password", 5432))
    environment = {**os.environ, "BOURSE_HOME": str(home)}

    asked = subprocess.run(
        words, env=environment, input="", capture_output=True, text=True, check=False
    )
    sure = subprocess.run(
        words, env={**environment, "YES": "1"}, capture_output=True, check=False
    )

    assert (asked.returncode, sure.returncode) == (1, 0)
    assert "Type yes" in asked.stdout
    assert not home.exists()

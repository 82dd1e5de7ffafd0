"""The command line on databases of one test."""

from pathlib import Path

import pytest

from tests.support.command_line import Bourse


@pytest.fixture
def bourse(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Bourse:
    monkeypatch.setenv("BOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    return Bourse(database_url, redis_url)

"""Databases for one test, and the command line on them."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support.command_line import Bourse


@pytest.fixture
def bourse(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Bourse:
    monkeypatch.setenv("BOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    return Bourse(database_url, redis_url)


@pytest.fixture
def empty_url(database_url: str) -> Generator[str]:
    """A second database, empty like the first."""
    name = sql.Identifier(database_url.rpartition("/")[2] + "_second")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield database_url + "_second"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

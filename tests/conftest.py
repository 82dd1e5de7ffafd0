"""Real servers and databases that the tests start for this run only.

The tests ignore DATABASE_URL and REDIS_URL, so that no test can touch those servers.
One Postgres serves all xdist workers, with a database for each test that needs one.
Each worker has a separate Redis, because publishing and flushing ignore database
numbers. The first test that needs a server starts it. The process that started pytest
stops all servers, whatever happened to the workers.
"""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import psutil
import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from redis import Redis

from infra.local import postgres
from infra.local.servers import start_postgres, start_redis, stop_postgres, stop_redis

HOME_VARIABLE = "BOURSE_TEST_HOME"
SETTINGS_PREFIXES = ("BOURSE_", "DATABASE_URL", "REDIS_URL")
KEPT_SETTINGS = ("BOURSE_ORDERFLOW", HOME_VARIABLE)


# The time of an example depends on the machine's load, so there is no deadline.
settings.register_profile("bourse", deadline=None)
settings.load_profile("bourse")


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name.startswith(SETTINGS_PREFIXES) and name not in KEPT_SETTINGS:
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        remove_orphans()
        os.environ[HOME_VARIABLE] = str(make_home())
        # An outer time limit ends pytest by this signal; the servers must stop with it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    home = os.environ.get(HOME_VARIABLE)
    if home is not None and not hasattr(config, "workerinput"):
        del os.environ[HOME_VARIABLE]
        remove_home(Path(home))


def make_home() -> Path:
    """Create a temporary home that the account of an embedded Postgres can enter."""
    home = Path(tempfile.mkdtemp(prefix="bourse-test-"))
    home.chmod(0o711)
    (home / "owner").write_text(str(os.getpid()))
    return home


def remove_orphans() -> None:
    """Stop the servers that a killed run left behind."""
    for home in Path(tempfile.gettempdir()).glob("bourse-test-*"):
        try:
            owner = int((home / "owner").read_text())
        except (OSError, ValueError):
            # The home is somebody else's, or another run is creating it.
            continue
        if not psutil.pid_exists(owner):
            remove_home(home)


def remove_home(home: Path) -> None:
    """Stop every server under a home and delete it."""
    for folder in home.glob("**/redis"):
        stop_redis(folder.parent)
    for folder in home.glob("**/postgres"):
        postgres.remove(folder.parent)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def server_home() -> Generator[Path]:
    """Yield a home for servers that only this test uses, and may kill."""
    home = make_home()
    yield home
    stop_postgres(home)
    stop_redis(home)
    remove_home(home)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """Return the Postgres of the whole run; tests use `database_url`."""
    return start_postgres(Path(os.environ[HOME_VARIABLE])).url


@pytest.fixture(scope="session")
def redis_server_url(worker_id: str) -> str:
    """Return the Redis of this worker; tests use `redis_url`."""
    return start_redis(Path(os.environ[HOME_VARIABLE]) / worker_id).url


_database_numbers = itertools.count(1)


@pytest.fixture
def database_url(postgres_url: str, worker_id: str) -> Generator[str]:
    """Yield an empty database for this test alone."""
    name = f"test_{worker_id}_{next(_database_numbers)}"
    server, _, _ = postgres_url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        # FORCE, because a test that killed its client leaves connections behind.
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """Return this worker's Redis, emptied for this test."""
    with Redis.from_url(redis_server_url) as client:
        client.flushall()
    return redis_server_url

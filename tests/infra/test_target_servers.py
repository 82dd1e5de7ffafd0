"""Commands stop the embedded servers that they started, however many are at work."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from infra.access.target_servers import target_postgres, target_redis
from infra.local.servers import start_postgres, start_redis
from infra.runtime.settings import Settings

USE = """
import sys
from infra.access.target_servers import target_postgres, target_redis
from infra.runtime.settings import read_settings

settings = read_settings()
if sys.argv[1] == "postgres":
    target = target_postgres(settings, new=True)
else:
    target = target_redis(settings)
with target as url:
    print(url, flush=True)
    sys.stdin.read()
"""
START = {"postgres": start_postgres, "redis": start_redis}


class HomeUser:
    """A process that uses a server of a home until its standard input ends."""

    def __init__(self, home: Path, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", USE, kind],
            env={**os.environ, "BOURSE_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        self._process.communicate(timeout=60)

    def kill(self) -> None:
        self._process.kill()
        self.end()


def answers(url: str) -> bool:
    try:
        if url.startswith("redis"):
            with Redis.from_url(url) as client:
                client.ping()
        else:
            psycopg.connect(url).close()
    except (RedisError, psycopg.OperationalError):
        return False
    return True


kinds = pytest.mark.parametrize("kind", ["postgres", "redis"])


@kinds
def test_what_a_command_started_ends_with_it(kind: str, server_home: Path):
    with HomeUser(server_home, kind) as command:
        assert answers(command.url)

    assert not answers(command.url)


@kinds
def test_what_runs_already_runs_on(kind: str, server_home: Path):
    server = START[kind](server_home)

    with HomeUser(server_home, kind) as command:
        assert command.url == server.url

    assert answers(server.url)


@kinds
def test_the_last_command_that_uses_a_server_stops_it(kind: str, server_home: Path):
    first, second = HomeUser(server_home, kind), HomeUser(server_home, kind)

    first.end()
    assert answers(second.url)

    second.end()
    assert not answers(second.url)


@kinds
def test_what_a_killed_command_left_ends_with_the_next(kind: str, server_home: Path):
    first = HomeUser(server_home, kind)
    first.kill()
    assert answers(first.url)

    with HomeUser(server_home, kind) as second:
        assert second.url == first.url

    assert not answers(first.url)


@pytest.mark.parametrize("target", [partial(target_postgres, new=True), target_redis])
def test_a_server_that_one_process_uses_twice_stops_once(
    target: Callable[[Settings], AbstractContextManager[str]], server_home: Path
):
    settings = Settings(home=server_home)

    with target(settings) as url:
        with target(settings) as again:
            assert again == url
        assert answers(url)

    assert not answers(url)

"""A server in memory with its users for each test, and a real server per module."""

import os
from collections.abc import AsyncGenerator, Generator

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from tests.support.people import Person
from tests.support.served import Served, served
from tests.support.server_process import ServerProcess


@pytest.fixture
async def server() -> AsyncGenerator[Served]:
    async with served() as server:
        yield server


@pytest.fixture
async def admin(server: Served) -> Person:
    return await server.person(admin=True)


@pytest.fixture
async def ada(server: Served) -> Person:
    """A trader with a million in cash and 10,000 shares of ACME."""
    return await server.trader()


@pytest.fixture
async def bob(server: Served) -> Person:
    """Another trader with the same cash and shares."""
    return await server.trader()


@pytest.fixture(scope="module")
def real_server(
    postgres_url: str,
    redis_server_url: str,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[ServerProcess]:
    """A whole server on Postgres and Redis, with the demonstration market."""
    url, _, _ = postgres_url.rpartition("/")
    name = f"api_{worker_id}_{os.urandom(4).hex()}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with Redis.from_url(redis_server_url) as client:
        client.flushall()
    server = ServerProcess(
        tmp_path_factory.mktemp("real"),
        {"DATABASE_URL": f"{url}/{name}", "REDIS_URL": redis_server_url},
    )
    try:
        yield server.start().wait_ready("leader")
    finally:
        server.end()
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

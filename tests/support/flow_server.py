"""A whole server for replays of flows, and the command that sends them."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from infra.replay.score import Report
from tests.support.server_process import ServerProcess


@contextmanager
def flow_server(
    home: Path, database_url: str, redis_url: str
) -> Generator[ServerProcess]:
    """Yield a ready server on the databases of the test."""
    server = ServerProcess(home, {"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    try:
        yield server.start().wait_ready("leader")
    finally:
        server.end()


def replay(server: ServerProcess, flow: Path, *options: str) -> tuple[int, Report]:
    """Run `bourse replay` against the server; return its exit code and report."""
    done = server.command("replay", str(flow), "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, msgspec.convert(json.loads(done.stdout), Report)

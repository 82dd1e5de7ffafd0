"""What a server says of itself when it is ready: `run.json`, and a greeting.

Where it is to show a demonstration market, that is there first.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from commands.leadership import WriterState
from domain.trading_day import session_date
from infra.container import Container
from infra.runtime.settings import Settings
from infra.server.demo import DemoMarket

RUN_FILE = "run.json"
LOOK_SECONDS = 0.1
READY_LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class RunFile(msgspec.Struct):
    """The content of `run.json`: the process that serves and writes, and its places."""

    pid: int
    base_url: str
    database_url: str
    redis_url: str
    role: str
    home: str


class Announcement:
    """Says what runs where, at each time the server becomes ready in a role.

    `places` are where Postgres and Redis are, as a person is told.
    """

    def __init__(
        self,
        container: Container,
        settings: Settings,
        run_file: RunFile,
        places: Mapping[str, str],
    ) -> None:
        self._container = container
        self._settings = settings
        self._run_file = run_file
        self._places = places
        self._home = Path(run_file.home)

    async def keep(self) -> None:
        """Look, for as long as the server runs."""
        told = None
        while True:
            readiness = await self._container.readiness()
            if readiness.ready and readiness.role != told:
                told = readiness.role
                if told == WriterState.LEADER and self._settings.demo:
                    await self._seed()
                self._tell(told)
            elif not readiness.ready:
                told = None
            await asyncio.sleep(LOOK_SECONDS if told is None else READY_LOOK_SECONDS)

    async def _seed(self) -> None:
        container = self._container
        today = session_date(container.clock.now(), self._settings.market_timezone)
        market = DemoMarket(
            container.writer,
            clock=container.clock,
            new_id=container.identifiers.new,
            credentials=container.credentials,
            vault=container.vault,
            hasher=container.passwords,
            session_date=today,
        )
        path = self._home / "demo.json"
        if await market.seed(path, self._run_file.base_url) is None:
            _log.warning(
                "no_demonstration",
                reason="the log has markets already, which this home did not make",
                remedy="demo.json of the home that made them tells of its accounts",
            )

    def _tell(self, role: str) -> None:
        told = msgspec.structs.replace(self._run_file, role=role)
        beside = self._home / f"{RUN_FILE}.new"
        beside.touch(mode=0o600)
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
        beside.replace(self._home / RUN_FILE)
        _log.info("ready", role=role, url=told.base_url, home=told.home)
        self._greet(role)

    def _greet(self, role: str) -> None:
        """Tell a person what runs, and where."""
        base_url = self._run_file.base_url
        rows = {
            "Exchange": f"{base_url} ({role})",
            "API": f"{base_url}/schema/openapi.json",
            **self._places,
            "Folder": str(self._home),
        }
        if (self._home / "demo.json").exists():
            rows["Accounts"] = f"{self._home / 'demo.json'} (e-mails and passwords)"
        rows["End it"] = "Ctrl-C, or make stop"
        width = max(map(len, rows))
        for name, value in rows.items():
            sys.stdout.write(f"{name:<{width}}  {value}\n")
        sys.stdout.flush()


def new_run_file(
    home: Path, *, base_url: str, database_url: str, redis_url: str
) -> RunFile:
    """What this process will tell of itself, before it has a role."""
    return RunFile(os.getpid(), base_url, database_url, redis_url, "", str(home))

"""Announces a ready server: writes `run.json` and prints a greeting.

If the settings ask for a demonstration market, the leader seeds it first.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from commands.writer.leadership import WriterState
from domain.market.trading_day import session_date
from infra.container import Container
from infra.runtime.settings import Settings
from infra.server.demo import DemoMarket

RUN_FILE = "run.json"
LOOK_SECONDS = 0.1
READY_LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class RunFile(msgspec.Struct):
    """The content of `run.json`: the server's process, role and addresses."""

    pid: int
    base_url: str
    database_url: str
    redis_url: str
    role: str
    home: str


class RunFileKeeper:
    """Writes the run file and greets, each time the server becomes ready in a role.

    `places` says for a person where Postgres and Redis are.
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
        self._greeted = ""

    async def keep(self) -> None:
        """Poll the readiness while the server runs, and announce each change."""
        role = None
        while True:
            readiness = (
                await self._container.capacity()
                if role is None
                else self._container.capacity_seen()
            )
            if readiness.ready and readiness.role != role:
                role = readiness.role
                if role == WriterState.LEADER and self._settings.demo:
                    await self._seed()
                self._announce(role)
                self._container.is_announced = True
            elif not readiness.ready:
                role = None
            await asyncio.sleep(LOOK_SECONDS if role is None else READY_LOOK_SECONDS)

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
                reason="the log has markets that this home did not seed",
                remedy="demo.json of the home that seeded them lists their accounts",
            )

    def _announce(self, role: str) -> None:
        content = msgspec.structs.replace(self._run_file, role=role)
        staging = self._home / f"{RUN_FILE}.new"
        staging.touch(mode=0o600)
        staging.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
        staging.replace(self._home / RUN_FILE)
        _log.info("ready", role=role, url=content.base_url, home=content.home)
        # After an outage the server is ready again, which the log says.
        if role != self._greeted:
            self._greeted = role
            self._greet(role)

    def _greet(self, role: str) -> None:
        """Print for a person what runs, and where."""
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
    """Return the run file of this process, before it has a role."""
    return RunFile(os.getpid(), base_url, database_url, redis_url, "", str(home))

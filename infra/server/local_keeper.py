"""Restarts an embedded server that has died, on its port: clients know that one."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from infra.local.errors import LocalServerError
from infra.local.servers import LocalServer, start_postgres, start_redis

LOOK_SECONDS = 0.5
START = {"Postgres": start_postgres, "Redis": start_redis}

_log = structlog.get_logger(__name__)


class LocalKeeper:
    """Keeps the embedded servers of one home; `servers` has them by name."""

    def __init__(self, home: Path) -> None:
        self.servers: dict[str, LocalServer] = {}
        self._home = home

    def start(self, name: str) -> LocalServer:
        """Start or adopt a server, and keep it from then on."""
        server = self.servers[name] = START[name](self._home)
        return server

    async def keep(self) -> None:
        """Look after the servers forever. Log each reason for a failure once."""
        logged: dict[str, str] = {}
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for name, server in self.servers.items():
                try:
                    await self._look_after(name, server)
                    logged.pop(name, None)
                except LocalServerError as error:
                    reason = str(error)
                    if logged.get(name) != reason:
                        logged[name] = reason
                        _log.error("local_server_down", server=name, reason=reason)

    async def _look_after(self, name: str, server: LocalServer) -> None:
        port = urlsplit(server.url).port
        now = await asyncio.to_thread(START[name], self._home, port)
        if now.pid != server.pid:
            self.servers[name] = now
            _log.warning("local_server_restarted", server=name, pid=now.pid)

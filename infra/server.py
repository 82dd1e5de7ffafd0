"""One server process from its start to its end: what `bourse run` does.

It serves HTTP, leads or stands by, and keeps beside it what the installation needs: the
embedded Postgres and Redis of its home, the projector, the day roll, the snapshots.
"""

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from types import FrameType

import msgspec
import structlog
import uvicorn
import uvloop
from litestar.types import ControllerRouterHandler

from api.app import create_app
from commands.writer import Role
from infra.children import Child
from infra.container import Container
from infra.demo import DemoMarket
from infra.local.errors import LocalServerError
from infra.local.servers import (
    start_postgres,
    start_redis,
    stop_postgres,
    stop_redis,
)
from infra.settings import Settings, unknown_variables
from infra.telemetry import configure_logging
from infra.upkeep import kept_up
from processors.scheduler import Scheduler, session_date

#: The projector must not slow the writer down: orders first, views catch up.
PROJECTOR_NICENESS = 10
SNAPSHOT_NICENESS = 15
LOOK_SECONDS = 0.1
LOCAL_LOOK_SECONDS = 0.5
SNAPSHOT_LOOK_SECONDS = 5.0
#: How long one thread may keep the interpreter from another. The commit thread needs
#: it for microseconds several times a commit; with the usual 5 ms that were the commit.
SWITCH_SECONDS = 0.0005

RUN_FILE = "run.json"

_log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The server cannot start; the sentence says what to do."""


class RunFile(msgspec.Struct):
    """The content of `run.json`: the process that serves and writes, and its places."""

    pid: int
    base_url: str
    database_url: str
    redis_url: str
    role: str
    home: str


def serve(
    settings: Settings, extra_routes: Sequence[ControllerRouterHandler] = ()
) -> int:
    """Run a server until it is told to end. Benchmarks add routes of their own.

    Raises:
        CannotStart: another one runs in this home, or the port is taken.
    """
    configure_logging(form=settings.log_format, level=settings.log_level)
    for name, meant in unknown_variables().items():
        _log.warning("unknown_setting", variable=name, did_you_mean=meant or None)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(50_000, 20, 100)
    home = settings.home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(home), _listening(settings) as listener:
        # One that was killed left its file behind; nobody is to wait for that one.
        run_file = home / RUN_FILE
        run_file.unlink(missing_ok=True)
        ending = _Ending()
        try:
            server = _Server(settings, home, listener, ending, extra_routes)
            uvloop.run(server.run())
        finally:
            ending.listen()
            _end_local_servers(settings, home)
            # Last: while it is there, whoever ends this home waits for this process.
            run_file.unlink(missing_ok=True)
    return 0


def _end_local_servers(settings: Settings, home: Path) -> None:
    """Stop the embedded servers of this home, if they are the ones in use."""
    if settings.redis_url is None:
        stop_redis(home)
    if settings.database_url is None:
        stop_postgres(home)


class _Ending:
    """Notes that the server was asked to end while no event loop listens.

    It is noted and no more, because a start that is broken off half way leaves servers
    behind that nobody knows of. Asked twice, it is broken off all the same.
    """

    def __init__(self) -> None:
        self.asked = False
        self.signals = [signal.SIGINT, signal.SIGTERM]
        # Whoever ignores the end of the terminal, as nohup does, goes on doing so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self.signals.append(signal.SIGHUP)
        self.listen()

    def listen(self) -> None:
        for number in self.signals:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextlib.contextmanager
def _only_one(home: Path) -> Generator[None]:
    with (home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as reason:
            raise CannotStart(
                f"a server is already running in {home}; end it with `make stop`, or "
                "give this one another BOURSE_HOME and BOURSE_PORT"
            ) from reason
        yield


@contextlib.contextmanager
def _listening(settings: Settings) -> Generator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as reason:
            raise CannotStart(
                f"{settings.host}:{settings.port} cannot be listened on "
                f"({reason.strerror}); choose another BOURSE_PORT"
            ) from reason
        listener.listen(2_048)
        yield listener


class _Uvicorn(uvicorn.Server):
    """Leaves the signals to us: the writer ends after HTTP does, in an orderly way."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _Server:
    def __init__(
        self,
        settings: Settings,
        home: Path,
        listener: socket.socket,
        ending: _Ending,
        extra_routes: Sequence[ControllerRouterHandler],
    ) -> None:
        self.ending = ending
        self.extra_routes = extra_routes
        self.settings = settings
        self.home = home
        self.listener = listener
        self.base_url = f"http://{settings.host}:{settings.port}"
        self.database_url = settings.database_url or start_postgres(home).url
        self.redis_url = settings.redis_url or start_redis(home).url
        self.container = Container(settings, self.database_url, self.redis_url)

    async def run(self) -> None:
        container = self.container
        app = create_app(container.services)
        for route in self.extra_routes:
            app.register(route)
        http = _Uvicorn(
            uvicorn.Config(
                app,
                http="httptools",
                log_config=None,
                access_log=False,
                # Who asks is told by the token, never by an address.
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
            )
        )
        self._listen_for_signals(http)
        container.applied.start()
        writing = asyncio.create_task(container.writer.run(), name="writer")
        beside = [
            asyncio.create_task(kept_up(name, work), name=name)
            for name, work in self._beside().items()
        ]
        try:
            serving = asyncio.create_task(http.serve(sockets=[self.listener]))
            await asyncio.wait([serving, writing], return_when=asyncio.FIRST_COMPLETED)
            http.should_exit = True
            await serving
            if writing.done():
                # By itself it ends only by what went wrong: that is raised here.
                await writing
        finally:
            await self._end(writing, beside)

    def _listen_for_signals(self, http: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()
        for number in self.ending.signals:
            loop.add_signal_handler(number, _ask_to_end, http)
        if self.ending.asked:
            _ask_to_end(http)

    def _beside(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What goes on beside HTTP and the writer, each for as long as they do."""
        scheduler = Scheduler(
            self.container.writer,
            clock=self.container.clock,
            new_id=self.container.identifiers.new,
            zone=self.settings.market_timezone,
        )
        projector = Child(
            "infra.projector_process",
            environment=self._environment(),
            niceness=PROJECTOR_NICENESS,
        )
        return {
            "local servers": self._keep_local_servers,
            "day roll": scheduler.run,
            "projector": projector.keep_running,
            "announcement": self._announce,
            "snapshots": self._take_snapshots,
        }

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BOURSE_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }

    async def _keep_local_servers(self) -> None:
        """Start an embedded server again when it has died: nobody else would."""
        while True:
            await asyncio.sleep(LOCAL_LOOK_SECONDS)
            try:
                if self.settings.database_url is None:
                    await asyncio.to_thread(start_postgres, self.home)
                if self.settings.redis_url is None:
                    await asyncio.to_thread(start_redis, self.home)
            except LocalServerError as reason:
                _log.error("local_server_down", reason=str(reason))

    async def _end(
        self, writing: asyncio.Task[None], beside: list[asyncio.Task[None]]
    ) -> None:
        for task in beside:
            task.cancel()
        await self.container.writer.stop()
        await asyncio.gather(writing, *beside, return_exceptions=True)
        await self.container.close()
        _log.info("ended")

    async def _announce(self) -> None:
        """Say what runs where, at each time the server becomes ready in a role."""
        told = None
        while True:
            readiness = await self.container.readiness()
            if readiness.ready and readiness.role != told:
                told = readiness.role
                if told == Role.LEADER and self.settings.demo:
                    await self._seed()
                self._tell(told)
            elif not readiness.ready:
                told = None
            await asyncio.sleep(LOOK_SECONDS if told is None else 1.0)

    async def _seed(self) -> None:
        container = self.container
        today = session_date(container.clock.now(), self.settings.market_timezone)
        market = DemoMarket(
            container.writer,
            clock=container.clock,
            new_id=container.identifiers.new,
            vault=container.vault,
            hasher=container.passwords,
            session_date=today,
        )
        await market.seed(self.home / "demo.json", self.base_url)

    def _tell(self, role: str) -> None:
        told = RunFile(
            os.getpid(),
            self.base_url,
            self.database_url,
            self.redis_url,
            role,
            str(self.home),
        )
        beside = self.home / f"{RUN_FILE}.new"
        beside.touch(mode=0o600)
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
        beside.replace(self.home / RUN_FILE)
        _log.info("ready", role=role, url=self.base_url, home=str(self.home))
        self._greet(role)

    def _greet(self, role: str) -> None:
        """Tell a person what runs, and where."""
        own = "embedded, kept in this folder between runs"
        rows = {
            "Exchange": f"{self.base_url} ({role})",
            "API": f"{self.base_url}/schema/openapi.json",
            "Postgres": "as DATABASE_URL says" if self.settings.database_url else own,
            "Redis": "as REDIS_URL says" if self.settings.redis_url else own,
            "Folder": str(self.home),
        }
        if (self.home / "demo.json").exists():
            rows["Accounts"] = f"{self.home / 'demo.json'} (e-mails and passwords)"
        rows["End it"] = "Ctrl-C, or make stop"
        width = max(map(len, rows))
        for name, value in rows.items():
            sys.stdout.write(f"{name:<{width}}  {value}\n")
        sys.stdout.flush()

    async def _take_snapshots(self) -> None:
        """Save the state each time the log has grown by so many events."""
        writer = self.container.writer
        child = Child(
            "infra.cli",
            ["snapshot", "--json"],
            environment=self._environment(),
            niceness=SNAPSHOT_NICENESS,
        )
        saved = 0
        while True:
            await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)
            position = writer.exchange.position
            if writer.role is not Role.LEADER:
                saved = 0
            elif not saved:
                saved = await asyncio.to_thread(self._newest_snapshot) or 1
            elif position - saved >= self.settings.snapshot_every:
                code = await child.run_once()
                saved = position
                _log.info("snapshot_taken", position=position, exit_code=code)

    def _newest_snapshot(self) -> int:
        snapshot = self.container.snapshots.newest()
        return 0 if snapshot is None else snapshot.position


def _ask_to_end(http: uvicorn.Server) -> None:
    http.should_exit = True

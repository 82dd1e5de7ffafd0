"""The server process that `bourse run` starts, from its start to its end.

It serves HTTP, and leads or stands by. In the background it keeps the embedded Postgres
and Redis of its home, the projector, the day roll and the snapshots.
"""

import asyncio
import contextlib
import errno
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path

import structlog
import uvicorn
import uvloop
from litestar.types import ControllerRouterHandler

from api.app import create_app
from commands.writer.leadership import WriterState
from infra.container import Container
from infra.http.bounds import bounds_of, raise_file_limit
from infra.http.protocol import bounded_protocol
from infra.local.servers import stop_local_servers
from infra.local.serving import ServedAlready, serving
from infra.runtime.line_writer import LineWriter
from infra.runtime.logging_setup import write_in_background
from infra.runtime.settings import Settings, unknown_variables
from infra.server.child_processes import Child
from infra.server.local_keeper import LocalKeeper
from infra.server.retrying_task import keep_trying
from infra.server.run_file import RUN_FILE, RunFileKeeper, new_run_file
from infra.server.security_recorder import SecurityRecorder
from infra.server.signals import StopSignals
from infra.views.redis_store import KEEPS_ALL, eviction_policy
from processors.scheduler import Scheduler

#: The projector must not slow the writer down: orders come first, views catch up.
PROJECTOR_NICENESS = 10
SNAPSHOT_NICENESS = 15
SNAPSHOT_LOOK_SECONDS = 5.0
#: How long one thread may keep the interpreter from another. The commit thread needs it
#: several times a commit, for microseconds; Python's 5 ms would dominate each commit.
SWITCH_SECONDS = 0.0005

_log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The server cannot start. The message says what to do."""


def serve(
    settings: Settings, extra_routes: Sequence[ControllerRouterHandler] = ()
) -> int:
    """Run a server until a signal stops it. `extra_routes` serve benchmarks.

    Raises:
        CannotStart: another server runs in this home, the port is taken, or Redis may
            evict keys.
    """
    lines = write_in_background(form=settings.log_format, level=settings.log_level)
    for name, similar in unknown_variables().items():
        _log.warning("unknown_setting", variable=name, did_you_mean=similar or None)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(50_000, 20, 100)
    home = settings.home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(home), _listening(settings) as listener:
        # A server that was killed left its file behind; nobody must read that one.
        run_file = home / RUN_FILE
        run_file.unlink(missing_ok=True)
        ending = StopSignals()
        try:
            server = _Server(settings, home, listener, ending, lines, extra_routes)
            uvloop.run(server.run())
        finally:
            ending.listen()
            try:
                _stop_local_servers(settings, home)
            finally:
                # Last: tools find the embedded servers through this file.
                run_file.unlink(missing_ok=True)
    return 0


def _stop_local_servers(settings: Settings, home: Path) -> None:
    """Stop the embedded servers of this home, if this server uses them."""
    stopped = stop_local_servers(
        home,
        postgres=settings.database_url is None,
        redis=settings.redis_url is None,
    )
    if not stopped:
        _log.warning(
            "local_servers_left",
            reason="another server of Bourse uses them",
            remedy="stop that server, then run make stop",
        )


@contextlib.contextmanager
def _alone(home: Path) -> Generator[None]:
    try:
        with serving(home):
            yield
    except ServedAlready as reason:
        raise CannotStart(
            f"a server is already running in {home}; stop it with `make stop`, or "
            "set another BOURSE_HOME and BOURSE_PORT for this one"
        ) from reason


@contextlib.contextmanager
def _listening(settings: Settings) -> Generator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as reason:
            is_host = isinstance(reason, socket.gaierror) or (
                reason.errno == errno.EADDRNOTAVAIL
            )
            remedy = (
                "BOURSE_HOST must be an address or a name of this machine"
                if is_host
                else "choose another BOURSE_PORT"
            )
            raise CannotStart(
                f"the server cannot listen on {settings.host}:{settings.port} "
                f"({reason.strerror}); {remedy}"
            ) from reason
        listener.listen(2_048)
        yield listener


def _check_eviction(redis_url: str) -> None:
    policy = eviction_policy(redis_url)
    if policy not in (None, KEEPS_ALL):
        raise CannotStart(
            f"Redis evicts keys when its memory is full (maxmemory-policy {policy}), "
            f"and would lose parts of read models; set maxmemory-policy {KEEPS_ALL}"
        )


class _Uvicorn(uvicorn.Server):
    """An HTTP server that leaves signals to us: the writer must stop after HTTP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _Server:
    def __init__(
        self,
        settings: Settings,
        home: Path,
        listener: socket.socket,
        ending: StopSignals,
        lines: LineWriter,
        extra_routes: Sequence[ControllerRouterHandler],
    ) -> None:
        self.ending = ending
        self.extra_routes = extra_routes
        self.stopping: asyncio.Task[None] | None = None
        self.settings = settings
        self.home = home
        self.listener = listener
        self.base_url = f"http://{settings.host}:{settings.port}"
        self.places = {
            "Postgres": "as DATABASE_URL says",
            "Redis": "as REDIS_URL says",
        }
        self.local_keeper = LocalKeeper(home)
        self.database_url = settings.database_url or self._own("Postgres")
        self.redis_url = settings.redis_url or self._own("Redis")
        _check_eviction(self.redis_url)
        self.container = Container(
            settings, self.database_url, self.redis_url, lines=lines
        )

    def _own(self, name: str) -> str:
        server = self.local_keeper.start(name)
        self.places[name] = f"embedded, kept between runs in {server.place}"
        return server.url

    async def run(self) -> None:
        container = self.container
        app = create_app(container.services)
        for route in self.extra_routes:
            app.register(route)
        http = _Uvicorn(
            uvicorn.Config(
                app,
                http=bounded_protocol(bounds_of(self.settings, raise_file_limit())),
                # A socket would leave the bounds of that protocol.
                ws="none",
                log_config=None,
                access_log=False,
                # The token identifies the caller, never an address.
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
            )
        )
        self._listen_for_signals(http)
        container.applied.start()
        writing = asyncio.create_task(container.writer.run(), name="writer")
        background = [
            asyncio.create_task(keep_trying(name, work), name=name)
            for name, work in self._background_work().items()
        ]
        try:
            serving = asyncio.create_task(http.serve(sockets=[self.listener]))
            await asyncio.wait([serving, writing], return_when=asyncio.FIRST_COMPLETED)
            http.should_exit = True
            await serving
            if writing.done():
                # The writer ends by itself only with an error, which this raises.
                await writing
        finally:
            await self._end(writing, background)

    def _listen_for_signals(self, http: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()

        def begin_to_end() -> None:
            _log.info("stopping")
            http.should_exit = True
            # Concurrently: HTTP waits only seconds for its last answers, and a log
            # that hangs would hold them longer.
            self.stopping = loop.create_task(self.container.writer.stop())

        self.ending.listen_in(loop, begin_to_end)

    def _background_work(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return the work that goes on while HTTP and the writer run."""
        scheduler = Scheduler(
            self.container.writer,
            clock=self.container.clock,
            new_id=self.container.identifiers.new,
            zone=self.settings.market_timezone,
        )
        container = self.container
        recorder = SecurityRecorder(
            container.security_outbox, container.writer.execute, self._lead
        )
        projector = Child(
            "infra.server.projector",
            environment=self._environment(),
            niceness=PROJECTOR_NICENESS,
        )
        container.metrics.children["projector"] = projector
        return {
            "local servers": self.local_keeper.keep,
            "state watch": container.watch.run,
            "day roll": scheduler.run,
            "projector": projector.keep_running,
            "security notes": container.security_notes.keep_handing_over,
            "security record": recorder.run,
            "run file": self._run_file_keeper().keep,
            "snapshots": self._take_snapshots,
        }

    def _lead(self) -> object | None:
        """Return the state in memory, which is a new object in each leadership."""
        writer = self.container.writer
        return writer.exchange if writer.state is WriterState.LEADER else None

    def _run_file_keeper(self) -> RunFileKeeper:
        run_file = new_run_file(
            self.home,
            base_url=self.base_url,
            database_url=self.database_url,
            redis_url=self.redis_url,
        )
        return RunFileKeeper(self.container, self.settings, run_file, self.places)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BOURSE_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }

    async def _end(
        self, writing: asyncio.Task[None], background: list[asyncio.Task[None]]
    ) -> None:
        for task in background:
            task.cancel()
        await self.container.writer.stop()
        await asyncio.gather(writing, *background, return_exceptions=True)
        await self.container.close()
        _log.info("ended")

    async def _take_snapshots(self) -> None:
        """Save the state each time the log has grown by `snapshot_every` positions."""
        writer = self.container.writer
        child = Child(
            "infra.cli.commands",
            ["snapshot", "--json"],
            environment=self._environment(),
            niceness=SNAPSHOT_NICENESS,
        )
        saved = 0
        while True:
            await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)
            position = writer.exchange.position
            if writer.state is not WriterState.LEADER:
                saved = 0
            elif not saved:
                saved = await asyncio.to_thread(self._newest_snapshot) or 1
            elif position - saved >= self.settings.snapshot_every:
                saved = position
                failure = await child.run_once()
                if failure is None:
                    _log.info("snapshot_taken", position=position)
                else:
                    _log.error("snapshot_failed", position=position, reason=failure)

    def _newest_snapshot(self) -> int:
        snapshot = self.container.snapshots.newest()
        return 0 if snapshot is None else snapshot.position

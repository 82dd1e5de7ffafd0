"""Creates, starts, adopts and stops the embedded Postgres.

It is a real server with real durability: fsync is on, and every commit waits for the
disk. It listens on 127.0.0.1 only, over TCP only (the path of a socket may be too long
for the system), and asks for a password.
"""

import shutil
import signal
import time
from pathlib import Path

import psycopg
from msgspec.structs import replace

from infra.local.account import SystemAccount, server_account
from infra.local.binaries import postgres_programs
from infra.local.cluster import (
    NAME,
    USER,
    data_folder,
    disown_stale_lock,
    initialize,
    lock_lines,
    prepare,
)
from infra.local.errors import ServerDidNotStart, ServerDidNotStop
from infra.local.folder import LocalServer, Remembered, ServerFolder, locked
from infra.local.process import (
    LOCALHOST,
    POLL_SECONDS,
    choose_port,
    is_running,
    send,
    spawn,
    wait_until_gone,
)

DATABASE = "bourse"

# After a crash, Postgres replays up to max_wal_size of its log before it answers.
READY_SECONDS = 300.0
STOP_SECONDS = 60.0
START_ATTEMPTS = 5
#: How long the connections of a stopped server may remain visible.
ALONE_SECONDS = 3.0

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'bourse%' AND pid <> pg_backend_pid()
"""

# For an append-only log, on a small machine that runs the exchange too.
PARAMETERS = {
    "listen_addresses": LOCALHOST,
    "unix_socket_directories": "",
    "cluster_name": "bourse",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    # An answer promises durability. These are the defaults, stated on purpose.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Fewer checkpoints: after each one, Postgres logs full page images.
    "wal_buffers": "16MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # For short statements, compiling costs more than it saves.
    "jit": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def start(home: Path, port: int | None = None) -> LocalServer:
    """Return the server of this home, and start it if it does not run.

    A new server listens on `port`, if the caller passes one.
    """
    with locked(home / "postgres") as folder:
        remembered = folder.remembered() or prepare(folder)
        data = data_folder(folder, remembered)
        account = server_account(data)
        if not (data / "PG_VERSION").exists():
            initialize(folder, data, account, password=remembered.password)
        pid = _running(data)
        if pid is None:
            remembered, pid = _launch(folder, data, account, remembered, port)
        else:
            _wait_until_ready(pid, data, folder.log)
        url = _connect_url(remembered, folder.log)
        return LocalServer(url=url, pid=pid, place=data)


def running_url(home: Path) -> str | None:
    """Return the URL of the server of this home if its process runs; start nothing."""
    folder = ServerFolder(home / "postgres")
    remembered = folder.remembered()
    if remembered is None or _running(data_folder(folder, remembered)) is None:
        return None
    return _database_url(remembered)


def data_of(home: Path) -> Path | None:
    """Return the data folder of this home, if the home has a server."""
    folder = ServerFolder(home / "postgres")
    remembered = folder.remembered()
    return None if remembered is None else data_folder(folder, remembered)


def stop(home: Path) -> None:
    """Stop the server in an orderly way, if it runs."""
    if not (home / "postgres").is_dir():
        return
    with locked(home / "postgres") as folder:
        remembered = folder.remembered()
        data = data_folder(folder, remembered) if remembered else None
        pid = _running(data) if data else None
        if data is None or pid is None:
            return
        # SIGINT is the fast shutdown: Postgres rolls open transactions back, writes
        # everything and ends. SIGQUIT is a crash, from which the next start recovers.
        for number in (signal.SIGINT, signal.SIGQUIT):
            send(pid, number)
            if wait_until_gone(pid, seconds=STOP_SECONDS):
                return
        raise ServerDidNotStop(NAME, pid=pid, log=folder.log)


def serves_others(home: Path) -> bool:
    """Return whether a server of Bourse uses this Postgres, such as a standby.

    The connections of a server that has just stopped get time to end.
    """
    folder = ServerFolder(home.resolve() / "postgres")
    remembered = folder.remembered()
    if remembered is None or _running(data_folder(folder, remembered)) is None:
        return False
    deadline = time.monotonic() + ALONE_SECONDS
    try:
        with psycopg.connect(
            _database_url(remembered), autocommit=True, connect_timeout=10
        ) as connection:
            while True:
                row = connection.execute(_OTHERS).fetchone()
                if row is None or not row[0]:
                    return False
                if time.monotonic() > deadline:
                    return True
                time.sleep(POLL_SECONDS)
    except psycopg.Error:
        # A Postgres that does not answer serves nobody.
        return False


def remove(home: Path) -> None:
    """Stop the server and delete its data."""
    stop(home)
    folder = ServerFolder(home.resolve() / "postgres")
    remembered = folder.remembered()
    if remembered is not None and remembered.elsewhere is not None:
        shutil.rmtree(remembered.elsewhere, ignore_errors=True)
    shutil.rmtree(folder.path, ignore_errors=True)


def _launch(
    folder: ServerFolder,
    data: Path,
    account: SystemAccount | None,
    remembered: Remembered,
    port: int | None,
) -> tuple[Remembered, int]:
    program = postgres_programs(account) / "postgres"
    for attempt in range(1, START_ATTEMPTS + 1):
        chosen = choose_port(remembered.port, only=port)
        remembered = replace(remembered, port=chosen)
        folder.remember(remembered)
        disown_stale_lock(data)
        settings = PARAMETERS | {"port": str(remembered.port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        pid = spawn(
            [str(program), "-D", str(data), *options],
            folder=data.parent,
            log=folder.log,
            account=account,
        )
        try:
            _wait_until_ready(pid, data, folder.log)
        except ServerDidNotStart:
            # Another program took the port meanwhile, or a process of a crashed server
            # still holds its memory. Both pass.
            if attempt == START_ATTEMPTS or is_running(pid, argument=str(data)):
                raise
            time.sleep(0.5 * attempt)
        else:
            return remembered, pid
    raise AssertionError("unreachable")


def _running(data: Path) -> int | None:
    """Return the pid of the live server of this data folder, if there is one."""
    pid = lock_lines(data)[:1]
    if pid and pid[0].isdigit() and is_running(int(pid[0]), argument=str(data)):
        return int(pid[0])
    return None


def _wait_until_ready(pid: int, data: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while is_running(pid, argument=str(data)):
        lines = lock_lines(data)
        if lines[:1] == [str(pid)] and lines[7:8] == ["ready"]:
            return
        if time.monotonic() > deadline:
            reason = f"it is not ready after {READY_SECONDS:.0f} seconds."
            raise ServerDidNotStart(NAME, reason=reason, log=log)
        time.sleep(POLL_SECONDS)
    raise ServerDidNotStart(NAME, reason="its process ended.", log=log)


def _connect_url(remembered: Remembered, log: Path) -> str:
    """Create our database if it is missing, and return its URL.

    The connection also proves that the server accepts our password.
    """
    url = _database_url(remembered, "postgres")
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if row is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error as error:
        raise ServerDidNotStart(NAME, reason=f"{error}", log=log) from error
    return _database_url(remembered)


def _database_url(remembered: Remembered, database: str = DATABASE) -> str:
    where = f"{LOCALHOST}:{remembered.port}/{database}"
    return f"postgresql://{USER}:{remembered.password}@{where}"

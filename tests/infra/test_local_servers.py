"""The embedded servers start, are adopted, recover from crashes, and stop in order."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from infra.local import binaries, postgres
from infra.local.account import SystemAccount, make_folder
from infra.local.errors import BinaryMissing, ServerDidNotStart
from infra.local.folder import ServerFolder
from infra.local.servers import (
    LocalServer,
    start_postgres,
    start_redis,
    stop_postgres,
    stop_redis,
)

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0


def select(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def write_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


def kill(pid: int) -> None:
    """Kill a server, as a crash does, and wait until it is dead."""
    process = psutil.Process(pid)
    process.kill()
    process.wait(timeout=10)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def test_postgres_is_durable_and_only_on_this_machine(server_home: Path):
    server = start_postgres(server_home)

    assert select(server.url, "SHOW fsync") == "on"
    assert select(server.url, "SHOW synchronous_commit") == "on"
    assert select(server.url, "SHOW listen_addresses") == "127.0.0.1"
    assert select(server.url, "SHOW unix_socket_directories") == ""
    assert str(select(server.url, "SHOW server_version")).startswith("18")


def test_postgres_asks_for_its_password(server_home: Path):
    server = start_postgres(server_home)
    without = f"postgresql://bourse:wrong@127.0.0.1:{port_of(server.url)}/bourse"

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(without)


def test_redis_asks_for_its_password(server_home: Path):
    server = start_redis(server_home)

    with Redis(port=port_of(server.url)) as stranger, Redis.from_url(server.url) as us:
        assert us.ping()
        with pytest.raises(RedisError, match="authenticat"):
            stranger.ping()


def test_a_second_start_adopts_the_server_that_runs(server_home: Path):
    first = start_postgres(server_home), start_redis(server_home)

    second = start_postgres(server_home), start_redis(server_home)

    assert second == first


def test_starts_at_the_same_time_make_one_server(server_home: Path):
    with ThreadPoolExecutor(4) as threads:
        servers = list(threads.map(start_postgres, [server_home] * 4))

    assert len(set(servers)) == 1


def test_a_folder_can_be_made_by_several_at_once(tmp_path: Path):
    together = Barrier(8)

    def make(folder: Path) -> None:
        together.wait()
        make_folder(folder)

    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            folder = tmp_path / str(number)
            list(threads.map(make, [folder] * 8))
            assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_folder_is_not_made_where_a_file_is(tmp_path: Path):
    (tmp_path / "taken").touch()

    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "taken")


def test_servers_survive_the_process_that_started_them(server_home: Path):
    program = (
        "import os, sys, pathlib, signal\n"
        "from infra.local.servers import start_postgres, start_redis\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "start_postgres(home), start_redis(home)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", program, server_home], cwd=ROOT, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    lock = (server_home / "postgres/data/postmaster.pid").read_text()

    server = start_postgres(server_home)

    assert server.pid == int(lock.split()[0])
    assert start_redis(server_home).pid == int((server_home / "redis/pid").read_text())


def test_a_stop_and_a_start_keep_data_password_and_port(server_home: Path):
    before = start_postgres(server_home)
    write_a_row(before.url)
    views = start_redis(server_home)
    with Redis.from_url(views.url) as client:
        client.set("view", "1")

    stop_postgres(server_home)
    stop_redis(server_home)
    after = start_postgres(server_home)

    assert after.url == before.url
    assert after.pid != before.pid
    assert select(after.url, "SELECT answer FROM kept") == 42
    with Redis.from_url(start_redis(server_home).url) as client:
        assert client.get("view") == b"1"


def test_a_stop_ends_the_process_and_may_be_repeated(server_home: Path):
    servers = start_postgres(server_home), start_redis(server_home)

    for _ in range(2):
        stop_postgres(server_home)
        stop_redis(server_home)

    assert not any(psutil.pid_exists(each.pid) for each in servers)


def test_stopping_where_nothing_ever_ran_makes_nothing(tmp_path: Path):
    stop_postgres(tmp_path / "home")
    stop_redis(tmp_path / "home")

    assert not (tmp_path / "home").exists()


def test_postgres_recovers_after_kill_9(server_home: Path):
    before = start_postgres(server_home)
    write_a_row(before.url)

    kill(before.pid)
    after = start_postgres(server_home)

    assert after.url == before.url
    assert select(after.url, "SELECT answer FROM kept") == 42


def test_redis_comes_back_after_kill_9(server_home: Path):
    before = start_redis(server_home)

    kill(before.pid)
    after = start_redis(server_home)

    assert after.url == before.url
    assert after.pid != before.pid


def test_a_lock_that_names_another_program_by_now_is_no_obstacle(server_home: Path):
    before = start_postgres(server_home)
    lock = server_home / "postgres/data/postmaster.pid"
    text = lock.read_text()
    kill(before.pid)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lock.write_text(text.replace(str(before.pid), str(stranger.pid), 1))

        after = start_postgres(server_home)
        stranger_alive = stranger.poll() is None
        stranger.kill()

    assert stranger_alive
    assert after.url == before.url


@pytest.mark.parametrize("start", [start_postgres, start_redis])
def test_a_port_taken_by_somebody_else_is_left_to_them(
    server_home: Path, start: Callable[[Path], LocalServer]
):
    before = start(server_home)
    stop_postgres(server_home)
    stop_redis(server_home)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port_of(before.url)))
        stranger.listen()

        after = start(server_home)

    assert port_of(after.url) != port_of(before.url)


def test_a_home_may_have_spaces_and_a_long_path(server_home: Path):
    home = server_home / ("a folder with spaces " * 5) / ("deep" * 20)
    home.mkdir(parents=True)
    try:
        assert select(start_postgres(home).url, "SELECT 1") == 1
        with Redis.from_url(start_redis(home).url) as client:
            assert client.ping()
    finally:
        stop_postgres(home)
        stop_redis(home)


def test_what_a_killed_start_left_is_made_again(server_home: Path):
    half = server_home / "postgres/data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")

    assert select(start_postgres(server_home).url, "SELECT 1") == 1


def test_a_server_that_does_not_start_shows_the_end_of_its_log(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(postgres.PARAMETERS, "shared_buffers", "much")
    monkeypatch.setattr(postgres, "START_ATTEMPTS", 1)

    with pytest.raises(ServerDidNotStart, match="shared_buffers"):
        start_postgres(server_home)


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binaries, "REDIS_PACKAGE", "no_such_package")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BinaryMissing, match="make setup"):
        binaries.redis_program()


def test_passwords_and_logs_are_for_their_owner_only(server_home: Path):
    start_postgres(server_home)
    start_redis(server_home)

    for name in (
        "postgres/server.json",
        "postgres/log",
        "redis/server.json",
        "redis/redis.conf",
        "redis/log",
    ):
        mode = (server_home / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


@pytest.fixture
def closed_home() -> Generator[Path]:
    """A home below a folder that only its owner may enter."""
    outer = Path(tempfile.mkdtemp(prefix="bourse-closed-"))
    assert stat.S_IMODE(outer.stat().st_mode) == 0o700
    home = outer / "home"
    home.mkdir()
    yield home
    postgres.remove(home)
    home.rmdir()
    outer.rmdir()


@pytest.mark.skipif(not IS_ROOT, reason="only root has to drop to another account")
def test_root_keeps_the_data_where_the_account_of_postgres_may_go(closed_home: Path):
    server = start_postgres(closed_home)

    remembered = ServerFolder(closed_home / "postgres").remembered()
    assert remembered is not None
    assert remembered.elsewhere is not None
    assert psutil.Process(server.pid).uids().real != 0
    assert stat.S_IMODE(closed_home.parent.stat().st_mode) == 0o700
    assert closed_home.parent.stat().st_uid == 0
    assert select(server.url, "SELECT 1") == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root has to drop to another account")
def test_root_copies_programs_the_account_cannot_run(
    closed_home: Path, monkeypatch: pytest.MonkeyPatch
):
    def never(account: SystemAccount | None, path: Path) -> bool:
        return False

    monkeypatch.setattr(binaries, "may_execute", never)

    server = start_postgres(closed_home)

    program = Path(psutil.Process(server.pid).exe())
    assert program.is_relative_to("/var/lib/bourse")
    assert select(server.url, "SELECT 1") == 1

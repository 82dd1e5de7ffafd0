"""`make stop`: the exchange is asked to end, then what it left is stopped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from infra.local import shutdown
from infra.local.servers import start_postgres, start_redis


@pytest.fixture
def serving(server_home: Path) -> Generator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as it:
        write_run(server_home, it.pid)
        yield it
        it.kill()


def write_run(home: Path, pid: int) -> None:
    (home / "run.json").write_text(json.dumps({"pid": pid, "base_url": "http://x"}))


def test_the_serving_process_is_asked_to_end(
    server_home: Path, serving: subprocess.Popen[bytes]
):
    assert shutdown.stop_exchange(server_home)

    assert serving.wait(timeout=10) == -signal.SIGTERM


def test_a_stopped_process_is_woken_to_end(
    server_home: Path, serving: subprocess.Popen[bytes]
):
    os.kill(serving.pid, signal.SIGSTOP)

    assert shutdown.stop_exchange(server_home)


def test_a_process_that_only_inherited_the_number_is_left_alone(
    server_home: Path, serving: subprocess.Popen[bytes]
):
    long_ago = psutil.Process(serving.pid).create_time() - 3600
    os.utime(server_home / "run.json", (long_ago, long_ago))

    assert shutdown.stop_exchange(server_home)
    assert serving.poll() is None


@pytest.mark.parametrize("content", ["", "{}", '{"pid": 999999999}'])
def test_where_nothing_serves_there_is_nothing_to_end(tmp_path: Path, content: str):
    if content:
        (tmp_path / "run.json").write_text(content)

    assert shutdown.stop_exchange(tmp_path)


def test_servers_that_a_crash_left_are_stopped(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOURSE_HOME", str(server_home))
    left = start_postgres(server_home), start_redis(server_home)

    shutdown.main()

    assert not any(psutil.pid_exists(each.pid) for each in left)


def test_wrong_settings_end_it_with_their_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BOURSE_PORT", "none")

    with pytest.raises(SystemExit, match="BOURSE_PORT"):
        shutdown.main()

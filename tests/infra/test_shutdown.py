"""`make stop` signals the exchange, and then stops the servers that it left."""

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
from infra.local.serving import (
    LOCK_FILE,
    ServedAlready,
    is_served,
    serving,
    serving_pid,
)

#: A process that serves a home until a signal stops it.
SERVING = """
import sys, time
from pathlib import Path
from infra.local.serving import serving

with serving(Path(sys.argv[1])):
    print("serves", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def serving_process(server_home: Path) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SERVING, str(server_home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serves\n"
        yield process
        process.kill()


def test_the_process_that_serves_is_asked_to_end(
    server_home: Path, serving_process: subprocess.Popen[bytes]
):
    assert serving_pid(server_home) == serving_process.pid

    assert shutdown.stop_exchange(server_home)

    assert serving_process.wait(timeout=10) == -signal.SIGTERM
    assert not is_served(server_home)


def test_a_stopped_process_is_woken_to_end(
    server_home: Path, serving_process: subprocess.Popen[bytes]
):
    os.kill(serving_process.pid, signal.SIGSTOP)

    assert shutdown.stop_exchange(server_home)


def test_a_home_is_served_by_one(
    server_home: Path, serving_process: subprocess.Popen[bytes]
):
    with pytest.raises(ServedAlready), serving(server_home):
        pass

    # The second process has not overwritten the first one's pid.
    assert serving_pid(server_home) == serving_process.pid


@pytest.mark.parametrize("content", [None, "", "1", "nonsense"])
def test_where_nothing_serves_there_is_nothing_to_end(
    tmp_path: Path, content: str | None
):
    if content is not None:
        (tmp_path / LOCK_FILE).write_text(content)

    assert serving_pid(tmp_path) is None
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

"""`bourse doctor` says what is wrong and what to do, and changes nothing."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from redis import Redis

from infra.doctor import machine
from infra.doctor.checks import CHECKS, Checked, Report, examine
from infra.doctor.finding import Finding, State, ok
from infra.doctor.installation import Installation
from infra.local.redis_server import stop as stop_redis
from infra.local.servers import (
    running_postgres,
    running_redis,
    start_postgres,
    start_redis,
)
from infra.local.serving import serving
from infra.log.migrations import migrate
from infra.runtime.settings import Settings
from tests.support.command_line import Bourse
from tests.support.flow import Flow
from tests.support.server_process import free_port
from tests.support.standing_still import standing_still
from tests.support.stored_log import write_log

FACTS = Flow().run(60)
#: Makes one check, in other settings if some are named.
ReportOf = Callable[..., Checked]


@pytest.fixture
def traded(bourse: Bourse) -> Bourse:
    """The command line on a log with filled read models, without a server."""
    write_log(bourse.database_url, FACTS)
    bourse.json("rebuild", "--all")
    return bourse


def settings(bourse: Bourse, home: Path, **others: Any) -> Settings:
    chosen = Settings(
        home=home,
        port=free_port(),
        database_url=bourse.database_url,
        redis_url=bourse.redis_url,
    )
    return msgspec.structs.replace(chosen, **others)


def checked(report: Report, name: str) -> Checked:
    return next(each for each in report.checks if each.check == name)


@pytest.fixture
def report_of(traded: Bourse, tmp_path: Path) -> ReportOf:
    def report(name: str, **others: Any) -> Checked:
        table = tuple(each for each in CHECKS if each[0] == name)
        installation = Installation(settings(traded, tmp_path, **others))
        return checked(examine(installation, table), name)

    return report


def execute(database_url: str, *statements: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


# --- the report ---


def test_a_healthy_installation_is_well_and_stays_as_it_was(
    traded: Bourse, tmp_path: Path
):
    before = sorted(tmp_path.iterdir())

    report = examine(Installation(settings(traded, tmp_path)))

    assert {each.check: each.remedy for each in report.checks if each.remedy} == {}
    assert (report.state, report.exit_code) == (State.OK, 0)
    assert [each.check for each in report.checks] == [name for name, _ in CHECKS]
    assert sorted(tmp_path.iterdir()) == before


def test_the_doctor_cannot_write(traded: Bourse, tmp_path: Path):
    installation = Installation(settings(traded, tmp_path))

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        installation.in_postgres(lambda c: c.execute("CREATE TABLE x ()"))


def test_what_is_not_up_is_said_and_not_started(server_home: Path):
    start_postgres(server_home)
    start_redis(server_home)
    stop_redis(server_home)

    report = examine(Installation(Settings(home=server_home, port=free_port())))

    assert checked(report, "postgres").state is State.OK
    redis = checked(report, "redis")
    assert (redis.state, redis.says) == (State.UNKNOWN, "Redis is not running")
    assert "make run" in redis.remedy
    assert checked(report, "views").says == "not checked: Redis is not running"
    assert (report.state, report.exit_code) == (State.UNKNOWN, 2)
    assert running_redis(server_home) is None


def test_a_home_that_never_ran_is_not_created(tmp_path: Path):
    home = tmp_path / "none"

    report = examine(Installation(Settings(home=home, port=free_port())))

    assert report.exit_code == 2
    assert not home.exists()


def test_a_postgres_that_stands_still_gets_an_answer(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
):
    # On a busy machine the check of Postgres itself must end first.
    monkeypatch.setattr("infra.doctor.checks.CHECK_SECONDS", 30.0)
    server = start_postgres(server_home)
    url = running_postgres(server_home)

    with standing_still(server.pid):
        report = examine(Installation(Settings(home=server_home, port=free_port())))

    assert url == server.url
    postgres = checked(report, "postgres")
    assert postgres.state is State.WRONG
    assert "no answer within" in postgres.says
    assert str(server_home / "postgres" / "log") in postgres.remedy
    assert checked(report, "clock").state is State.UNKNOWN
    assert report.exit_code == 1


def test_a_check_that_hangs_ends_in_time_and_the_others_go_on(
    traded: Bourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.doctor.checks.CHECK_SECONDS", 0.2)
    reading, writing = os.pipe()

    def hangs(_: Installation) -> Finding:
        os.read(reading, 1)
        return ok("late")

    def quick(_: Installation) -> Finding:
        return ok("quick")

    table = (("hangs", hangs), ("quick", quick))
    report = examine(Installation(settings(traded, tmp_path)), table)
    os.write(writing, b"x")

    assert [each.state for each in report.checks] == [State.UNKNOWN, State.OK]
    assert report.checks[0].says == "not checked: no answer within 0.2 s"


def test_a_defect_of_a_check_is_not_hidden(traded: Bourse, tmp_path: Path):
    def fails(_: Installation) -> Finding:
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        examine(Installation(settings(traded, tmp_path)), (("fails", fails),))


def test_people_read_a_table_and_programs_the_exit_code(
    traded: Bourse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOURSE_PORT", str(free_port()))
    well = traded("doctor")
    with Redis.from_url(traded.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        ill = traded("doctor")
        machine_read = traded.json("doctor", code=1)
        client.config_set("maxmemory-policy", "noeviction")

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert "All is well." in well.stdout
    assert "→ set maxmemory-policy noeviction" in ill.stdout
    assert "Wrong: 1. Not checked: 0." in ill.stdout
    assert machine_read["state"] == "wrong"
    (redis,) = [each for each in machine_read["checks"] if each["state"] == "wrong"]
    assert redis["check"] == "redis"
    assert traded.redis_url not in str(machine_read)


# --- what single checks see ---


def test_settings_of_postgres_that_lose_commits_are_named(
    traded: Bourse, report_of: ReportOf
):
    name = traded.database_url.rpartition("/")[2]
    execute(traded.database_url, f"ALTER DATABASE {name} SET synchronous_commit = off")

    durability = report_of("durability")

    assert durability.state is State.WRONG
    assert "fsync on, full_page_writes on, synchronous_commit off" in durability.says
    assert "synchronous_commit (set by: database)" in durability.remedy


def test_a_fact_from_the_future_shows_that_a_clock_was_set(
    traded: Bourse, report_of: ReportOf
):
    assert report_of("clock").state is State.OK
    execute(
        traded.database_url,
        "INSERT INTO events VALUES ('security-log', 1, 'security.login-failed', "
        'convert_to(\'{"type":"security.login-failed","meta":{"at":9000000000000000,'
        '"actor":"a","command_id":"c"},"claim":"x"}\', \'UTF8\'), 1000000)',
    )

    clock = report_of("clock")

    assert clock.state is State.WRONG
    assert "in the future" in clock.says


def test_each_state_of_the_schema_is_said(traded: Bourse, report_of: ReportOf):
    assert report_of("schema").says == "migration 4, the newest"

    execute(traded.database_url, "CREATE SCHEMA bourse_restore")
    assert "DROP SCHEMA bourse_restore" in report_of("schema").remedy
    execute(
        traded.database_url,
        "DROP SCHEMA bourse_restore",
        "DELETE FROM migrations WHERE number = 4",
    )
    assert "take a backup first" in report_of("schema").says
    execute(traded.database_url, "INSERT INTO migrations VALUES (9999, 'x', 'y')")
    newer = report_of("schema")
    assert newer.state is State.WRONG
    assert "start the newer version" in newer.says


def test_an_empty_database_is_well(bourse: Bourse, tmp_path: Path):
    report = examine(Installation(settings(bourse, tmp_path)))

    assert report.exit_code == 0
    assert "the first start makes it" in checked(report, "schema").says


def test_a_log_that_no_snapshot_shortens_is_wrong(traded: Bourse, report_of: ReportOf):
    few = report_of("snapshot", snapshot_every=10)
    traded.json("snapshot")
    saved = report_of("snapshot", snapshot_every=10)

    assert (few.state, saved.state) == (State.WRONG, State.OK)
    assert f"replays {len(FACTS):,} positions" in few.says
    assert "bourse snapshot" in few.remedy
    assert saved.says == f"the newest is 0 positions behind the head, {len(FACTS):,}"


def test_the_lag_of_each_view_is_said(
    traded: Bourse, tmp_path: Path, report_of: ReportOf, monkeypatch: pytest.MonkeyPatch
):
    with Redis.from_url(traded.redis_url) as client:
        client.flushall()

    without_server = report_of("views")
    with serving(tmp_path):
        with_server = report_of("views")

    assert without_server.state is State.OK
    assert "not filled: balances" in without_server.says
    assert f"at log position {len(FACTS):,}: statements" in without_server.says
    assert with_server.state is State.WRONG
    assert "the projector" in with_server.remedy


def test_views_beyond_the_log_show_another_log(
    traded: Bourse, report_of: ReportOf, empty_url: str
):
    migrate(empty_url)

    views = report_of("views", database_url=empty_url)

    assert views.state is State.WRONG
    assert "beyond the log" in views.says


def test_a_port_of_somebody_else_is_wrong(report_of: ReportOf):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        port = report_of("port", port=other.getsockname()[1])

    assert port.state is State.WRONG
    assert "another BOURSE_PORT" in port.remedy


def test_a_server_that_is_not_ready_is_said(tmp_path: Path, report_of: ReportOf):
    assert report_of("server").says == f"no server runs in {tmp_path}"

    with serving(tmp_path):
        starting = report_of("server")

    assert starting.state is State.WRONG
    assert "not ready yet" in starting.says


def test_a_damaged_file_of_a_home_is_said(server_home: Path):
    start_postgres(server_home)
    memory = server_home / "postgres" / "server.json"
    whole = memory.read_bytes()
    memory.write_bytes(b"{")

    report = examine(Installation(Settings(home=server_home, port=free_port())))
    memory.write_bytes(whole)

    assert "server.json is damaged" in checked(report, "server").says
    assert report.exit_code == 1


@pytest.mark.parametrize("name", ["memory", "disk", "files"])
def test_a_machine_with_too_little_is_wrong(
    name: str, report_of: ReportOf, monkeypatch: pytest.MonkeyPatch
):
    assert report_of(name).state is State.OK
    for limit in ("MEMORY_FREE_MIN", "DISK_FREE_MIN", "FILES_MIN"):
        monkeypatch.setattr(machine, limit, 1 << 60)

    found = report_of(name)

    assert found.state is State.WRONG
    assert found.remedy


def test_a_container_has_less_memory_than_its_machine(
    tmp_path: Path, report_of: ReportOf, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "memory.max").write_text(f"{1 << 30}\n")
    (tmp_path / "memory.current").write_text(f"{(1 << 30) - 1000}\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)

    memory = report_of("memory")

    assert (memory.state, memory.says) == (State.WRONG, "only 0 MB of 1.0 GB are free")


def test_the_disk_of_a_folder_is_that_of_the_nearest_one_that_exists(
    tmp_path: Path,
):
    installation = Installation(Settings(home=tmp_path / "a" / "b"))

    assert machine.disk(installation).says.endswith(f"free at {tmp_path}")

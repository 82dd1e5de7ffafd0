"""What a server survives, at length. Run by `make prove`; prints what it measured."""

from pathlib import Path

import pytest

from tests.support import survival

KILLS = 50
REPEATS = 5


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> survival.Report:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"  {line}", flush=True)  # noqa: T201 - a proof prints its progress

    return tell


def test_fifty_kills_in_a_row_lose_nothing(
    tmp_path: Path, report: survival.Report
) -> None:
    with survival.running(tmp_path / "home") as server:
        acknowledged = survival.kills(server, KILLS, report)
        report(f"{KILLS} kills, {acknowledged} acknowledged orders, none lost")


def test_flushes_under_load_heal(tmp_path: Path, report: survival.Report) -> None:
    with survival.running(tmp_path / "home") as server:
        survival.flushes(server, REPEATS, report)


def test_deaths_of_postgres_lose_nothing(
    tmp_path: Path, report: survival.Report
) -> None:
    with survival.running(tmp_path / "home") as server:
        survival.postgres_deaths(server, REPEATS, report)


def test_leadership_goes_back_and_forth(
    tmp_path: Path, report: survival.Report
) -> None:
    with survival.running(tmp_path / "home") as first:
        second = survival.standby_of(first, tmp_path / "second")
        # They are good at both servers, and only the first has a demonstration.
        tokens = survival.tokens_of(first)
        try:
            for _ in range(REPEATS):
                survival.failover(first, second, tokens, report)
                survival.failover(second, first, tokens, report)
        finally:
            second.end()

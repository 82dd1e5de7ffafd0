"""A server at its full order rate, for SOAK_MINUTES (3 unless set).

The memory window is short, so that the server's memory must stay flat. Every tenth of
the time the server is killed; Redis is emptied twice, early, because a view that grows
with history takes longer to fill.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import survival
from tests.support.calls import Call
from tests.support.soak import MEGABYTE, Soak

WINDOW = 20_000
#: Of two lives of equal length, the later one may use so much more memory.
GROWTH_MAX = 1.1


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> survival.Report:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"  {line}", flush=True)  # noqa: T201 - a proof prints its progress

    return tell


@pytest.mark.rule("VIEW-03")
@pytest.mark.rule("MEMORY-02")
def test_at_full_rate_memory_stays_flat_and_no_list_is_torn(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    seconds = 60 * float(os.environ.get("SOAK_MINUTES", "3"))
    with survival.running(tmp_path / "home") as server:
        admin = server.token(server.demo["admin"])
        window = Call("PATCH", "/v2/admin/memory-window", {"count_max": WINDOW})
        server.ask(window, admin).raise_for_status()
        soak = Soak(
            server,
            seconds=seconds,
            kill_every=seconds / 10,
            flushes=[seconds / 25, seconds / 6],
            report=report,
        )
        soak.api.fund()

        soak.run()
        soak.verify()

    report(f"answers {dict(soak.results.statuses)}, {soak.results.canceled:,} canceled")
    report(f"hangups {soak.results.hangups}, retries {dict(soak.watch.retries)}")
    peaks = [max(life.resident) for life in soak.lives if life.resident]
    report(f"peaks {[round(each / MEGABYTE) for each in peaks]} MB")
    assert not soak.watch.torn, soak.watch.torn[:5]
    assert soak.watch.polls > seconds
    # 500: a defect. Every other answer is in the documentation.
    assert not any(status >= 500 and status != 503 for status in soak.results.statuses)
    half = len(peaks) // 2
    assert max(peaks[half:]) <= GROWTH_MAX * max(peaks[:half])

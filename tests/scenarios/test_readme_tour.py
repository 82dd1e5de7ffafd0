"""The tour of the README works as it is, pasted block by block into a shell."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.server_process import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOUR = README.partition("## Five minutes with curl")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TOUR, re.MULTILINE | re.DOTALL)
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell) is not None]


@pytest.fixture
def server(tmp_path: Path) -> Generator[ServerProcess]:
    server = ServerProcess(tmp_path / "home", {"BOURSE_DEMO": "1"})
    try:
        yield server.start().wait_ready("leader")
    finally:
        server.end()


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="the tour is typed with curl, which is missing"
)
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tour_runs_from_the_first_block_to_the_last(
    server: ServerProcess, shell: str
):
    session = subprocess.run(
        [shell, "-s"],
        input="\n".join(BLOCKS),
        env=server.variables(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert session.returncode == 0, session.stdout + session.stderr
    assert session.stderr == ""
    lines = session.stdout.splitlines()
    answers = [json.loads(line) for line in lines if line.startswith(("{", "["))]
    refusals = [each for each in answers if "reason" in each and "code" in each]
    assert refusals == []
    resting, listed, book, *later = answers
    market, positions, wallet, moves, price, trades, open_orders, *_ = later
    assert (resting["status"], resting["qty"]) == ("new", "100")
    assert [each["id"] for each in listed] == [resting["id"]]
    assert book["asks"][0][0] == "100.25"
    assert (market["status"], market["filled_qty"]) == ("filled", "30")
    assert "ACME" in {each["symbol"] for each in positions}
    assert wallet["held"] is not None
    assert (moves[0]["symbol"], moves[0]["fee"]) == ("ACME", "0.9022")
    assert price["symbol"] == "ACME"
    assert [each["qty"] for each in trades] == ["30"]
    (open_order,) = open_orders
    assert open_order["filled_qty"] == "30"
    assert "sound" in session.stdout or "passed" in session.stdout.lower()


def test_the_blocks_have_nothing_that_an_interactive_zsh_reads_otherwise():
    assert len(BLOCKS) >= 7
    for block in BLOCKS:
        for line in block.splitlines():
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
            assert "#" not in bare, f"zsh takes no comments: {line}"
            assert "!" not in bare, f"a reference to the history: {line}"
            assert "http" not in bare, f"zsh expands ? and [ in: {line}"


def test_every_command_of_the_tour_is_a_file_of_the_installation():
    commands = set(re.findall(r"\.venv/bin/\w+", "".join(BLOCKS)))

    assert commands == {".venv/bin/bourse", ".venv/bin/python"}
    assert Path(sys.executable).name.startswith("python")

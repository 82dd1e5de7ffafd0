"""The page of the last run: its table and the machine it ran on, in the README."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Answered, markdown

BEGIN = "<!-- the last run -->\n"
END = "<!-- the end of the last run -->\n"


def report(facts: Sequence[str], answers: Sequence[Answered], *, quick: bool) -> str:
    """What stands between the marks."""
    today = datetime.now(UTC).date().isoformat()
    lines = [f"- {fact}\n" for fact in (f"{today} (UTC)", *facts)]
    if quick:
        lines.append("- a quick run: these are looks, not figures\n")
    return f"\n{''.join(lines)}\n{markdown(answers)}\n"


def write_report(readme: Path, text: str) -> None:
    """Put the text in the place of the one before it."""
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}{text}{END}{after}")

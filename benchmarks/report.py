"""The report of the latest run in the README: its table and its machine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Result, markdown

BEGIN = "<!-- the last run -->\n"
END = "<!-- the end of the last run -->\n"


def report(facts: Sequence[str], answers: Sequence[Result], *, quick: bool) -> str:
    """Return the text between the marks."""
    today = datetime.now(UTC).date().isoformat()
    lines = [f"- {fact}\n" for fact in (f"{today} (UTC)", *facts)]
    if quick:
        lines.append("- a quick run: too rough to quote\n")
    return f"\n{''.join(lines)}\n{markdown(answers)}\n"


def write_report(readme: Path, text: str) -> None:
    """Replace the report in the README."""
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}{text}{END}{after}")

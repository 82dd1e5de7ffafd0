"""The command line in a test."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from infra.cli.commands import app


class Bourse:
    """The command line on the databases of one test."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.database_url = database_url
        self.redis_url = redis_url

    def __call__(self, *words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=stdin)

    def json(self, *words: str, code: int = 0, stdin: str | None = None) -> Any:
        result = self(*words, "--json", stdin=stdin)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

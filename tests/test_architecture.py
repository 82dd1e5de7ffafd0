"""The layers hold: import-linter's contracts in pyproject.toml are kept."""

from importlinter import cli

from tests.support.source import ROOT


def test_every_contract_is_kept():
    # Without its cache: two test runs at once would write the same files.
    result = cli.lint_imports(
        config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True
    )

    assert result == cli.EXIT_STATUS_SUCCESS

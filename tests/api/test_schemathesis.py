"""Generated requests, valid and invalid: the server answers each as documented."""

import subprocess
import sys
from pathlib import Path

from tests.support.server_process import ServerProcess

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def test_no_request_makes_a_server_error_or_an_undocumented_answer(
    real_server: ServerProcess, tmp_path: Path
):
    token = real_server.token(real_server.demo["admin"])

    run = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "run"),
            f"{real_server.url}/schema/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "15"),
            *("--generation-database", "none"),
            *("--seed", "7"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert run.returncode == 0, run.stdout[-8_000:]

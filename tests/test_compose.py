"""compose.yaml and Dockerfile, read without an engine: what they promise is there."""

import re
from typing import Any, cast

import pytest
import yaml

from infra.runtime.redaction import SECRET_NAMES
from infra.runtime.settings import variables
from tests.support.source import PACKAGES, ROOT

SERVICES = ("postgres", "redis", "server")
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]*\}")


def service(name: str) -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    return cast(dict[str, Any], yaml.safe_load(text)["services"][name])


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_stack_has_the_services_it_is_made_of():
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")

    assert tuple(yaml.safe_load(text)["services"]) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_when_it_is_healthy_and_comes_back(name: str):
    assert service(name)["healthcheck"]["test"]
    assert service(name)["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_images_are_pinned_to_a_version(name: str):
    assert re.search(r":\d+\.\d+", service(name)["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_the_environment_and_have_no_default(name: str):
    environment = service(name)["environment"]
    secrets = {
        key: value
        for key, value in environment.items()
        if SECRET_NAMES.search(key) or key.endswith(("_URL", "_AUTH"))
    }

    assert secrets, "every service of this stack has a secret"
    assert all(REQUIRED.search(value) for value in secrets.values())


def test_the_server_is_set_by_variables_that_exist():
    known = {each.name for each in variables()}

    assert service("server")["environment"].keys() <= known


def test_the_server_waits_until_what_it_needs_is_healthy():
    assert service("server")["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_only_the_server_is_published_and_only_on_this_machine():
    assert all(port.startswith("127.0.0.1:") for port in service("server")["ports"])
    assert "ports" not in service("postgres")
    assert "ports" not in service("redis")


def test_the_log_lives_in_a_volume_and_durability_is_not_switched_off():
    postgres = service("postgres")

    assert "postgres:/var/lib/postgresql" in postgres["volumes"]
    assert not re.search("fsync|synchronous_commit", " ".join(postgres["command"]))


def test_the_image_is_built_from_pinned_requirements_and_runs_unprivileged():
    text = dockerfile()

    assert "--require-hashes --no-deps --requirement requirements.txt" in text
    assert re.search(r"^FROM python:3\.1[1-9]", text, re.MULTILINE)
    assert text.index("USER bourse") < text.index('CMD ["bourse", "run"]')


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_in_the_image(package: str):
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")

    assert f"COPY {package} {package}" in dockerfile()
    assert f"!{package}\n" in ignored

"""The settings: read from the environment, checked at start, described on a page."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infra.docs.settings_page import (
    EXAMPLE,
    PAGE,
    ROOT,
    environment_example,
    settings_page,
)
from infra.runtime.settings import (
    SettingsError,
    read_settings,
    unknown_variables,
    variables,
)


def test_an_empty_environment_gives_the_defaults():
    settings = read_settings({})

    assert settings.home == Path(".bourse")
    assert settings.port == 8000
    assert settings.demo is True
    assert settings.database_url is None
    assert settings.market_timezone == ZoneInfo("UTC")


def test_values_come_from_the_environment_in_their_own_types():
    settings = read_settings(
        {
            "BOURSE_HOME": "/var/lib/bourse one",
            "BOURSE_DEMO": "0",
            "BOURSE_PORT": "8001",
            "BOURSE_MARKET_TIMEZONE": "America/New_York",
            "DATABASE_URL": "postgresql://bourse@db/bourse",
        }
    )

    assert settings.home == Path("/var/lib/bourse one")
    assert settings.demo is False
    assert settings.port == 8001
    assert settings.market_timezone == ZoneInfo("America/New_York")
    assert settings.database_url == "postgresql://bourse@db/bourse"


def test_an_empty_value_counts_as_unset():
    assert read_settings({"REDIS_URL": " ", "BOURSE_PORT": ""}) == read_settings({})


def test_every_wrong_variable_is_named_at_once():
    wrong = {
        "BOURSE_PORT": "99999",
        "BOURSE_DEMO": "perhaps",
        "BOURSE_QUEUE_LIMIT": "1.5",
        "BOURSE_LOG_FORMAT": "xml",
        "BOURSE_MARKET_TIMEZONE": "Mars/Olympus",
        "DATABASE_URL": "mysql://db/bourse",
        "REDIS_URL": "redis",
        "BOURSE_SECRET_KEY": "short",
    }

    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)

    assert caught.value.reasons.keys() == wrong.keys()
    assert all(name in str(caught.value) for name in wrong)


def test_a_wrong_word_comes_with_the_right_ones():
    with pytest.raises(SettingsError) as raised:
        read_settings({"BOURSE_LOG_LEVEL": "loud"})

    assert raised.value.reasons == {
        "BOURSE_LOG_LEVEL": "Expected one of: debug, info, warning, error, not 'loud'"
    }


def test_a_variable_that_means_nothing_is_reported():
    unknown = unknown_variables(
        {"BOURSE_QUEUE_LIMITS": "9", "BOURSE_OTHER": "1", "BOURSE_PORT": "1", "PG": "2"}
    )

    assert unknown == {"BOURSE_QUEUE_LIMITS": "BOURSE_QUEUE_LIMIT", "BOURSE_OTHER": ""}


def test_an_error_shows_the_wrong_value_but_never_a_secret():
    wrong = {"BOURSE_PORT": "eighty", "BOURSE_SECRET_KEY": "hunter2"}

    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)

    assert "'eighty'" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_representation_hides_secrets():
    settings = read_settings(
        {"BOURSE_SECRET_KEY": "s" * 32, "DATABASE_URL": "postgresql://u:word@db/b"}
    )

    assert "word" not in repr(settings)
    assert "s" * 32 not in repr(settings)
    assert "port=8000" in repr(settings)


def test_every_variable_has_a_sentence():
    assert all(each.sentence.endswith(".") for each in variables())


def test_the_settings_page_and_the_example_are_fresh():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    example = (ROOT / EXAMPLE).read_text(encoding="utf-8")

    assert page == settings_page(), "Run `make catalog`."
    assert example == environment_example(), "Run `make catalog`."

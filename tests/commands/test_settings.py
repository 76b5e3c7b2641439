from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from click.testing import Result

from eventum.config import Config
from eventum.tracker.tracker import Tracker

Run = Callable[..., Result]
Ask = Callable[..., Any]


@pytest.mark.parametrize(
    ("key", "typed", "shown", "value"),
    [
        ("general.tool_caption", "Help desk", "Help desk", "Help desk"),
        ("general.base_url", "https://issues.example.org/", "https://issues.example.org", "https://issues.example.org"),
        ("smtp.host", "mail.example.org", "mail.example.org", "mail.example.org"),
        ("smtp.port", "587", "587", 587),
        ("smtp.security", "starttls", "starttls", "starttls"),
        ("smtp.from", "help@example.org", "help@example.org", "help@example.org"),
        ("subject_routing.enabled", "true", "yes", True),
        ("note_routing.host_aliases", "a.example.org, b.example.org", "a.example.org, b.example.org", None),
    ],
)
def test_a_key_is_shown_as_it_was_set(flask: Run, asked: Ask, key: str, typed: str, shown: str, value: object) -> None:
    assert flask("settings", "set", key, typed).stdout == f"{key} = {shown}\n"
    assert flask("settings", "get", key).stdout == f"{shown}\n"
    if value is not None:
        assert asked("settings", "get", key) == {"key": key, "value": value}
        assert {"key": key, "value": value} in asked("settings", "list")


def test_every_key_of_the_interface_is_listed(asked: Ask) -> None:
    blocks = ("email_routing", "note_routing", "draft_routing")
    assert [row["key"] for row in asked("settings", "list")] == [
        *("general.tool_caption", "general.base_url", "smtp.host", "smtp.port", "smtp.security", "smtp.username"),
        *("smtp.password", "smtp.from", "subject_routing.enabled"),
        *(f"{block}.{key}" for block in blocks for key in ("enabled", "prefix", "host", "host_aliases")),
        *("network.allowed_hosts", "network.allowed_ports", "defaults.language", "defaults.timezone"),
        *("fuse.address", "fuse.new_issues", "fuse.domain", "fuse.issue", "fuse.acknowledgements"),
        *("disk.min_free", "metrics.token"),
    ]


def test_the_smtp_password_is_sealed_and_never_shown(flask: Run, asked: Ask, config: Config) -> None:
    assert {"key": "smtp.password", "value": ""} in asked("settings", "list")
    result = flask("settings", "set", "smtp.password", "--password-stdin", stdin="correct horse\n")
    assert (result.exit_code, result.stdout) == (0, "smtp.password is set.\n")
    assert {"key": "smtp.password", "value": "(set)"} in asked("settings", "list")
    file = config.data / "settings" / "general.json"
    assert b"correct horse" not in file.read_bytes()
    store = Tracker(config).settings
    assert store.smtp_password(store.general()) == "correct horse"
    sealed = msgspec.json.decode(file.read_bytes())["smtp"]["password"]
    assert sealed not in flask("settings", "list").stdout


def test_the_token_of_the_metrics_is_sealed_long_enough_and_taken_away_with_nothing(
    flask: Run, asked: Ask, config: Config
) -> None:
    short = flask("settings", "set", "metrics.token", "--password-stdin", stdin="short\n")
    assert (short.exit_code, "at least 16" in short.stderr) == (1, True)
    assert flask("settings", "set", "metrics.token", "--password-stdin", stdin="a long enough token\n").exit_code == 0
    assert b"long enough" not in (config.data / "settings" / "general.json").read_bytes()
    store = Tracker(config).settings
    assert store.metrics_token(store.general()) == "a long enough token"
    assert {"key": "metrics.token", "value": "(set)"} in asked("settings", "list")
    assert flask("settings", "set", "metrics.token", "").exit_code == 0
    assert store.metrics_token(store.general()) == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "smtp.prot", "25"), 1, "smtp.port"),
        (("get", "smtp.prot"), 1, "smtp.port"),
        (("get", "smtp.password"), 1, "never shown"),
        (("set", "smtp.password", "on the command line"), 2, "not taken from the command line"),
        (("set", "smtp.password"), 1, "no password on stdin"),
        (("set", "metrics.token", "on the command line"), 2, "not taken from the command line"),
        (("set", "disk.min_free", "much"), 1, "megabytes"),
        (("set", "smtp.port", "70000"), 1, "1 to 65535"),
        (("set", "smtp.security", "ssl3"), 1, "starttls"),
        (("set", "smtp.host"), 2, "a value"),
        (("set", "email_routing.enabled", "perhaps"), 1, "true or false"),
    ],
)
def test_wrong_input_is_named(flask: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = flask("settings", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_what_is_still_lacking_is_said(flask: Run, asked: Ask) -> None:
    assert "set email_routing.host" in flask("settings", "set", "email_routing.enabled", "yes").stderr
    assert flask("settings", "set", "email_routing.host", "example.org").stderr == ""
    assert asked("settings", "get", "email_routing.enabled")["value"] is True

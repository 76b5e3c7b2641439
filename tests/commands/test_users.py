from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from eventum.config import Config

Run = Callable[..., Result]
Ask = Callable[..., Any]


def test_a_user_is_shown_as_he_was_added(asked: Ask) -> None:
    added = asked(
        *("users", "add", "Mia@Example.org", "--name", "Mia", "--alias", "M@Example.net", "--timezone", "Asia/Tokyo"),
        *("--member", "Help desk:reporter", "--preference", "Help desk:all_new=on", "--language", "ja"),
    )
    shown = asked("users", "show", "m@example.net")
    assert shown == added
    assert (shown["email"], shown["aliases"], shown["timezone"]) == ("mia@example.org", ["m@example.net"], "Asia/Tokyo")
    assert shown["roles"] == {"Help desk": "reporter"}
    assert shown["preferences"]["Help desk"] == {"all_new": True, "assigned": True, "own_actions": False}
    assert shown["created"].endswith("+00:00")


@pytest.mark.parametrize("name", ["dev@example.org", "DEV@EXAMPLE.ORG", "id", "prefix"])
def test_a_user_is_found_by_address_and_by_id(asked: Ask, name: str) -> None:
    user = asked("users", "show", "dev@example.org")
    by = {"id": user["id"], "prefix": user["id"][:8]}
    assert asked("users", "show", by.get(name, name)) == user


def test_changing_a_user_leaves_what_was_not_named(asked: Ask) -> None:
    before = asked("users", "show", "dev@example.org")
    after = asked("users", "set", "dev@example.org", "--name", "Dee Velop", "--member", "Help desk:manager")
    assert after == {**before, "name": "Dee Velop", "roles": {"Help desk": "manager"}}
    assert asked("users", "set", "dev@example.org", "--member", "Help desk:none")["roles"] == {}


def test_an_address_can_be_changed_and_the_old_one_kept(asked: Ask) -> None:
    asked("users", "set", "dev@example.org", "--email", "dee@example.org", "--alias", "dev@example.org")
    assert asked("users", "show", "dev@example.org")["email"] == "dee@example.org"
    assert asked("users", "set", "dee@example.org", "--alias", "")["aliases"] == []


def test_a_password_is_kept_as_a_hash_and_never_shown(asked: Ask, flask: Run, config: Config) -> None:
    asked("users", "set", "dev@example.org", "--password-stdin", stdin="correct horse\n")
    files = b"".join(path.read_bytes() for path in config.data.rglob("*.json"))
    assert b"scrypt:131072:8:1" in files and b"correct horse" not in files
    assert "scrypt" not in flask("users", "show", "dev@example.org").stdout
    assert asked("users", "show", "dev@example.org")["has_password"] is True


def test_a_deactivated_user_stays_in_the_list(asked: Ask, flask: Run) -> None:
    assert flask("users", "deactivate", "dev@example.org").exit_code == 0
    assert {user["email"]: user["active"] for user in asked("users", "list")} == {
        "admin@example.org": True,
        "dev@example.org": False,
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "new@example.org"), 2, "--name"),
        (("add", "new@example.org", "--name", "N", "--member", "Help desk"), 2, "PROJECT:ROLE"),
        (("add", "new@example.org", "--name", "N", "--member", "Nowhere:viewer"), 1, "no project 'Nowhere'"),
        (("add", "new@example.org", "--name", "N", "--member", "Help desk:boss"), 1, "no role 'boss'"),
        (("add", "new@example.org", "--name", "N", "--preference", "Help desk:all_new=maybe"), 2, "on|off"),
        (("add", "new@example.org", "--name", "N", "--preference", "Help desk:none=on"), 1, "not a preference"),
        (("add", "new@example.org", "--name", "N", "--timezone", "Moon/Base"), 1, "not a time zone"),
        (("add", "new@example.org", "--name", "N", "--language", "tlh"), 1, "not a language"),
        (("add", "new@example.org", "--name", "a\nb"), 1, "one line"),
        (("add", "-oProxy@example.org", "--name", "N"), 2, "-o"),
        (("add", "new", "--name", "N"), 1, "not an e-mail address"),
        (("add", "dev@example.org", "--name", "N"), 1, "belongs to user dev@example.org"),
        (("add", "new@example.org", "--name", "N", "--alias", "dev@example.org"), 1, "belongs to user dev@example.org"),
        (("add", "help@example.org", "--name", "N"), 1, "belongs to project 'Help desk'"),
        (("show", "nobody@example.org"), 1, "no user 'nobody@example.org'"),
        (("set", "nobody@example.org", "--name", "N"), 1, "flask users list"),
    ],
)
def test_wrong_input_is_one_line(flask: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = flask("users", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert code == 2 or result.stderr.count("\n") == 1


def test_a_damaged_file_is_named_with_its_line(flask: Run, config: Config) -> None:
    path = next((config.data / "people" / "users").glob("*.json"))
    path.write_text('{\n "schema": 1,\n oops\n}')
    result = flask("users", "list")
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert f"{path} is not valid JSON (line 3)" in result.stderr


def test_the_last_administrator_cannot_be_taken_away(flask: Run) -> None:
    for line in (("deactivate", "admin@example.org"), ("set", "admin@example.org", "--no-administrator")):
        refused = flask("users", *line)
        assert refused.exit_code == 1
        assert "the last administrator" in refused.stderr
    assert flask("users", "set", "dev@example.org", "--administrator").exit_code == 0
    assert flask("users", "deactivate", "admin@example.org").exit_code == 0

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Ask = Callable[..., Any]


def test_a_project_is_shown_as_it_was_added(asked: Ask) -> None:
    added = asked(
        *("projects", "add", "品質管理", "--sender-name", "QA", "--sender-email", "QA@Example.org", "--priority", "1"),
        *("--priority", "2", "--category", "Fault", "--alias", "qa2@example.org", "--staff-may-mail"),
        *("--mail-charset", "iso-2022-jp"),
    )
    assert asked("projects", "show", "品質管理") == added
    assert (added["sender_email"], added["priorities"], added["categories"]) == (
        "qa@example.org",
        ["1", "2"],
        ["Fault"],
    )
    assert (added["staff_may_mail"], added["archived"], added["members"]) == (True, False, {})
    assert added["mail_charset"] == "iso-2022-jp"


def test_a_project_lists_its_members(asked: Ask) -> None:
    assert asked("projects", "show", "help DESK")["members"] == {"dev@example.org": "developer"}


def test_changing_a_project_leaves_what_was_not_named(asked: Ask) -> None:
    before = asked("projects", "show", "Help desk")
    after = asked("projects", "set", "Help desk", "--title", "Support", "--archived")
    assert after == {**before, "title": "Support", "archived": True}
    assert asked("projects", "set", before["id"][:8], "--category", "")["categories"] == []
    assert [project["title"] for project in asked("projects", "list")] == ["Support"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "help desk"), "already"),
        (("add", " "), "one line"),
        (("add", "New", "--sender-email", "dev@example.org"), "belongs to user dev@example.org"),
        (("add", "New", "--sender-email", "nowhere"), "not an e-mail address"),
        (("add", "New", "--initial-status", "unheard of"), "unheard of"),
        (("add", "New", "--category", "a\tb"), "one line"),
        (("add", "New", "--mail-charset", "utf-7"), "'utf-7' is none of utf-8, iso-2022-jp"),
        (("show", "Nowhere"), "no project 'Nowhere'"),
    ],
)
def test_wrong_input_is_one_line(flask: Run, arguments: tuple[str, ...], said: str) -> None:
    result = flask("projects", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert said in result.stderr

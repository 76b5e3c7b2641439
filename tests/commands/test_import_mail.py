from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Run

Ask = Callable[..., Any]

LINE = b"From ana@example.org Mon Jan  5 10:00:00 2026\n"


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """An mbox with two mails."""
    mails = [f"Message-ID: <{n}@x>\nFrom: ana@example.org\nSubject: Old {n}\n\nText.\n".encode() for n in range(2)]
    (tmp_path / "old.mbox").write_bytes(b"".join(LINE + raw + b"\n" for raw in mails))
    return str(tmp_path / "old.mbox")


@pytest.fixture
def account(asked: Ask) -> str:
    added = asked(
        "accounts", "add", "--project", "Help desk", "--type", "delivered", "--address", "h@x.org", "--auto-create"
    )
    return str(added["id"])


def test_an_import_from_its_rehearsal_to_its_undoing(asked: Ask, flask: Run, archive: str, account: str) -> None:
    rehearsed = asked("import-mail", archive, "--account", account, "--dry-run")
    assert (rehearsed["mails"], [one["outcome"] for one in rehearsed["first"]]) == (2, ["new_issue", "new_issue"])
    assert asked("import-mail", "--list") == []
    done = asked("import-mail", archive, "--account", account)
    assert (done["state"], done["imported"], done["outcomes"]) == ("done", 2, {"new_issue": 2})
    assert asked("queue", "list") == []
    assert "Nothing new: all 2 mails are here already." in flask("import-mail", archive, "--account", account).stdout
    assert [one["id"] for one in asked("import-mail", "--list")] == [done["id"]]
    undone = asked("import-mail", "--undo", done["id"][:6])
    assert (undone["state"], undone["issues_back"], undone["mails_back"]) == ("undone", 2, 2)
    assert "is undone: 2 issues" in flask("import-mail", "--undo", done["id"]).stdout
    assert len(asked("emails", "list", "--state", "removed")) == 2


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("x",),
        ("x", "--list"),
        ("--list", "--undo", "abcd"),
        ("--list", "--notify"),
        ("--undo", "abcd", "--dry-run"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(flask: Run, words: tuple[str, ...]) -> None:
    assert flask("import-mail", *words).exit_code == 2


def test_a_path_without_mail_and_an_unknown_import_are_said(flask: Run, account: str, tmp_path: Path) -> None:
    result = flask("import-mail", str(tmp_path / "nothing"), "--account", account)
    assert result.exit_code == 1 and "There is no file or folder" in result.stderr
    assert flask("import-mail", "--undo", "abcdef").exit_code == 1


def test_what_cannot_be_read_is_named_and_the_rest_is_imported(flask: Run, account: str, tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails/good.eml").write_bytes(b"Subject: Good\n\nText.\n")
    with open(tmp_path / "mails/large.eml", "wb") as file:
        file.truncate(300_000_000)
    result = flask("import-mail", str(tmp_path / "mails"), "--account", account)
    assert result.exit_code == 1 and "large.eml" in result.stderr and "1 of 1 mails imported" in result.stdout

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from eventum.config import Config
from eventum.errors import Refused
from eventum.tracker import first_visit
from eventum.tracker.tracker import Tracker

Run = Callable[..., Result]


def test_init_makes_the_store_its_key_and_an_administrator_who_may_log_in(bare_flask: Run, config: Config) -> None:
    result = bare_flask("init", "--admin-email", "Ada@Example.org", "--password-stdin", stdin="correct horse\n")
    assert result.exit_code == 0
    assert stat.S_IMODE(config.secret_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.data.stat().st_mode) == 0o700
    users = msgspec.json.decode(bare_flask("users", "list", "--json").stdout)
    assert [(user["email"], user["administrator"], user["has_password"]) for user in users] == [
        ("ada@example.org", True, True)
    ]


def test_init_says_the_next_steps_and_the_cron_lines_of_this_place(bare_flask: Run, config: Config) -> None:
    out = bare_flask("init", "--admin-email", "ada@example.org").stdout
    assert "flask accounts add" in out
    start = f"cd {Path(__file__).parent.parent.parent} && EVENTUM_DATA={config.data} "
    lines = [line.strip() for line in out.splitlines() if start in line]
    assert [line.split()[-2] for line in lines] == ["download-emails", "process-queue"]


def test_init_again_changes_nothing(bare_flask: Run, config: Config) -> None:
    bare_flask("init", "--admin-email", "ada@example.org")
    before = {path: path.read_bytes() for path in config.data.rglob("*.json")}
    again = bare_flask("init", "--admin-email", "eve@example.org")
    assert (again.exit_code, "nothing changed" in again.stdout) == (0, True)
    assert {path: path.read_bytes() for path in config.data.rglob("*.json")} == before


def test_init_finishes_a_first_day_that_was_cut_short(bare_flask: Run, config: Config) -> None:
    bare_flask("init", "--admin-email", "ada@example.org")
    key = config.secret_file.read_bytes()
    (config.data / "state" / "store.json").unlink()
    again = bare_flask("init", "--admin-email", "ada@example.org")
    assert (again.exit_code, "The store" in again.stdout, "key file" in again.stdout) == (0, True, False)
    assert config.secret_file.read_bytes() == key
    assert len(list((config.data / "people" / "users").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (("--password-stdin",), "correct horse\n", 2, "--admin-email"),
        (("--admin-email", "no address"), "", 1, "not an e-mail address"),
        (("--admin-email", "ada@example.org", "--password-stdin"), "", 1, "no password on stdin"),
        (("--admin-email", "ada@example.org", "--password-stdin"), "short\n", 1, "at least 8 characters"),
    ],
)
def test_init_says_what_it_cannot_take(
    bare_flask: Run, arguments: tuple[str, ...], stdin: str, code: int, said: str
) -> None:
    result = bare_flask("init", *arguments, stdin=stdin)
    assert (result.exit_code, said in result.stderr) == (code, True)


def code_of(result: Result) -> str:
    found = re.search(r"asks for this code: ([0-9a-z-]{23})$", result.stdout, re.MULTILINE)
    return found[1] if found else ""


def test_init_prints_a_code_for_the_browser_once_and_keeps_only_its_digest(bare_flask: Run, config: Config) -> None:
    first = bare_flask("init")
    code = code_of(first)
    assert first.exit_code == 0 and code
    assert code not in (config.data / "state" / "first-visit.json").read_text()
    again = bare_flask("init")
    assert (code_of(again), "--new-code" in again.stderr) == ("", True)
    other = code_of(bare_flask("init", "--new-code"))
    assert other and other != code
    tracker = Tracker(config).open()
    with pytest.raises(Refused, match="not the code"):
        first_visit.begin(tracker, code, email="ada@example.org", name="Ada", password="correct horse")
    first_visit.begin(tracker, other.upper(), email="ada@example.org", name="Ada", password="correct horse")
    assert bare_flask("init", "--new-code").exit_code == 1


def test_init_prints_no_code_for_who_can_log_in(bare_flask: Run, config: Config) -> None:
    result = bare_flask("init", "--admin-email", "ada@example.org", "--password-stdin", stdin="correct horse\n")
    assert not code_of(result) and not (config.data / "state" / "first-visit.json").exists()


def test_init_never_makes_a_second_key_for_a_store(bare_flask: Run, config: Config) -> None:
    bare_flask("init", "--admin-email", "ada@example.org")
    config.secret_file.unlink()
    result = bare_flask("init")
    assert result.exit_code == 78
    assert not config.secret_file.exists()


def test_every_command_says_to_init_first(bare_flask: Run) -> None:
    result = bare_flask("users", "list")
    assert (result.exit_code, result.stdout) == (78, "")
    assert "flask init" in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_line(bare_flask: Run, config: Config) -> None:
    config.data.parent.joinpath("data").write_text("a file where the folder should be")
    result = bare_flask("init", "--admin-email", "ada@example.org")
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert str(config.data) in result.stderr


@pytest.mark.parametrize("command", [("users", "list"), ("init", "--admin-email", "ada@example.org")])
def test_a_store_of_another_system_user_is_refused(
    bare_flask: Run, config: Config, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    config.data.mkdir()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    result = bare_flask(*command)
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert "belongs to user" in result.stderr

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventum.config import Config
from eventum.tracker.lines import lines as cron_lines
from tests.commands.conftest import Run


def test_a_store_without_accounts_whose_queue_runs_is_well(flask: Run) -> None:
    assert flask("process-queue").exit_code == 0
    result = flask("status")
    assert result.exit_code == 0, result.stdout
    assert {line.split()[0] for line in result.stdout.splitlines()} == {"ok"}


def test_the_exit_code_is_the_level_and_the_cron_line_is_that_of_this_place(
    flask: Run, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTUM_DATA", str(config.data))
    result = flask("status", "--json")
    said: dict[str, Any] = msgspec.json.decode(result.stdout)
    assert (result.exit_code, said["level"]) == (2, 2)
    (check,) = [check for check in said["checks"] if check["name"] == "process-queue"]
    assert set(check) == {"name", "level", "value", "hint"}
    assert f"cd {os.getcwd()} && EVENTUM_DATA={config.data} " in check["hint"]
    assert check["hint"].endswith("process-queue >/dev/null")


def test_a_store_that_cannot_be_used_is_level_3_with_what_to_do(bare_flask: Run, config: Config) -> None:
    result = bare_flask("status")
    assert (result.exit_code, result.stderr) == (3, "")
    assert f"There is no store in {config.data} yet" in result.stdout


def test_a_store_with_another_key_is_level_3_and_both_keys_are_named(flask: Run, config: Config) -> None:
    store = config.data / "state" / "store.json"
    known = msgspec.json.decode(store.read_bytes())
    store.write_bytes(msgspec.json.encode({**known, "key": "0123456789abcdef"}))
    result = flask("status", "--json")
    assert result.exit_code == 3
    assert "0123456789abcdef" in result.stdout and known["key"] in result.stdout


@pytest.mark.parametrize(
    ("started", "program"),
    [("/srv/eventum/.venv/bin/flask", "/srv/eventum/.venv/bin/flask"), ("/lib/flask/__main__.py", "python* -m flask")],
)
def test_a_cron_line_starts_the_program_as_this_was_started(
    config: Config, monkeypatch: pytest.MonkeyPatch, started: str, program: str
) -> None:
    monkeypatch.setattr("sys.argv", [started])
    monkeypatch.setattr("sys.executable", "python*")
    lines = cron_lines(config)
    assert list(lines) == ["download-emails", "process-queue"]
    for command, line in lines.items():
        assert line.endswith(f" {program.replace('python*', chr(39) + 'python*' + chr(39))} {command} >/dev/null")

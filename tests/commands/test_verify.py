from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from eventum.commands import printing
from eventum.config import Config
from tests.commands.conftest import Run


def test_a_whole_store_is_said_to_be_whole(flask: Run) -> None:
    result = flask("verify")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("files looked at, nothing wrong\n")


def test_each_file_that_is_wrong_is_one_line_and_the_exit_code_is_1(flask: Run, config: Config) -> None:
    path = config.data / "people" / "users" / "odd.json"
    path.write_bytes(b"{")
    result = flask("verify")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        f"{path}: is not valid JSON (it ends too early); mend it by hand or put back a copy from a backup."
    )


def test_the_document_is_that_of_the_interface(flask: Run, config: Config) -> None:
    path = config.data / "spool" / "out" / "log" / "abc.jsonl"
    path.write_bytes(b"")
    result = flask("verify", "--json")
    said: dict[str, Any] = msgspec.json.decode(result.stdout)
    assert result.exit_code == 1
    assert said["checked"] > 3
    assert said["findings"] == [
        {
            "path": str(path),
            "problem": "the log of an entry that is gone",
            "repair": "`flask verify --repair` removes it",
        }
    ]


def test_repair_says_what_it_mended_and_is_content_then(flask: Run, config: Config) -> None:
    path = config.data / "spool" / "out" / "log" / "abc.jsonl"
    path.write_bytes(b"")
    result = flask("verify", "--repair")
    assert (result.exit_code, path.exists()) == (0, False)
    assert result.stderr == f"Mended: {path}: the log of an entry that is gone.\n"


def test_the_index_is_made_anew(flask: Run, asked: Callable[..., Any]) -> None:
    flask("issues", "new", "--project", "Help desk", "--summary", "One", "--as", "dev@example.org")
    result = flask("reindex")
    assert (result.exit_code, result.stdout) == (0, "The index is made anew: 1 issues\n")
    assert len(asked("issues", "list")) == 1


def test_the_new_index_is_told_as_a_document_too(flask: Run, config: Config) -> None:
    said: dict[str, Any] = msgspec.json.decode(flask("reindex", "--json").stdout)
    assert said["issues"] == 0 and said["index"].endswith("index.sqlite3")


def test_long_work_says_how_far_it_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with printing.progress("Reading", 2000) as told:
        for count in range(1, 2001):
            told(count)
    with printing.progress("Reading", 10) as told:
        told(1)
    said = capsys.readouterr()
    assert said.out == "" and said.err.splitlines() == [f"Reading: {n} of 2000" for n in range(200, 2001, 200)]

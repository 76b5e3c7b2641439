import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import create_app
from eventum.config import Config
from eventum.store.backup import MARK, Copying
from tests.commands.conftest import Run


def issue(flask: Run, summary: str = "One") -> None:
    """An issue of two messages."""
    flask("issues", "new", "--project", "Help desk", "--summary", summary, "--as", "dev@example.org")
    flask("issues", "note", "1", "--text", "Seen.", "--as", "dev@example.org")


def restored(place: Path, target: Path) -> Config:
    """What docs/running.md says: data and key go where they were; the cache is none of it."""
    shutil.copytree(place, target)
    return Config(data=target / "data", secret_file=target / "secret.json", cache=target / "cache")


def test_a_backup_is_a_store_with_its_key_that_works_where_it_is_put(
    flask: Run, config: Config, tmp_path: Path
) -> None:
    issue(flask)
    place = tmp_path / "backups" / "new"
    done: dict[str, Any] = msgspec.json.decode(flask("backup", str(place), "--json").stdout)
    assert (done["path"], done["issues"]) == (str(place), 1) and done["files"] > 5
    modes = {path.stat().st_mode & 0o777 for path in place.rglob("*")}
    assert modes == {0o600, 0o700}
    there = create_app(restored(place, tmp_path / "again")).test_cli_runner()
    shown = there.invoke(args=["issues", "show", "1", "--json"])
    assert len(msgspec.json.decode(shown.stdout)["messages"]) == 1
    for words in (["process-queue"], ["verify"]):
        assert there.invoke(args=words, catch_exceptions=False).exit_code in (0, 1)
    assert there.invoke(args=["verify"]).output.endswith("nothing wrong\n")
    assert there.invoke(args=["settings", "get", "general.tool_caption"]).exit_code == 0


def test_an_earlier_backup_is_replaced_all_at_once_and_nothing_else_ever_is(flask: Run, tmp_path: Path) -> None:
    place = tmp_path / "backup"
    issue(flask)
    flask("backup", str(place))
    issue(flask, "Two")
    died = tmp_path / ".backup.making-999999999"
    died.mkdir()
    said = flask("backup", str(place)).stdout
    assert "2 issues" in said and (place / "data/issues/0/2/issue.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["backup"]
    other = tmp_path / "photos"
    other.mkdir()
    (other / "me.jpg").write_bytes(b"x")
    refused = flask("backup", str(other))
    assert refused.exit_code == 1 and "no earlier backup" in refused.stderr
    assert [path.name for path in other.iterdir()] == ["me.jpg"]


@pytest.mark.parametrize("name", ["data/backup", "data", "data/../data/x", ""])
def test_a_place_in_the_store_or_around_it_is_refused(flask: Run, config: Config, name: str) -> None:
    refused = flask("backup", str(config.data.parent / name))
    assert refused.exit_code == 1 and refused.stderr.count("\n") == 1


def test_a_backup_that_died_leaves_the_earlier_one_and_is_never_taken_for_one(
    flask: Run, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "backup"
    issue(flask)
    flask("backup", str(place))
    kept = (place / MARK).read_bytes()

    def full(self: Copying, source: Path, target: Path) -> None:
        raise OSError(28, os.strerror(28), str(target))

    monkeypatch.setattr(Copying, "_file", full)
    assert flask("backup", str(place)).exit_code == 78
    assert (place / MARK).read_bytes() == kept
    # It died between two names.
    place.rename(tmp_path / ".backup.before-999999999")
    flask("backup", str(place))
    assert (place / MARK).read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["backup"]


def test_a_link_out_of_the_store_is_not_copied(
    flask: Run, config: Config, asked: Callable[..., Any], tmp_path: Path
) -> None:
    (config.data / "people/users/x.json").symlink_to("/etc/passwd")
    os.mkfifo(config.data / "people/users/y.json")
    asked("backup", str(tmp_path / "backup"))
    assert not list((tmp_path / "backup").rglob("[xy].json"))

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app import create_app
from eventum.commands import edge
from eventum.config import Config
from eventum.errors import Busy, Conflict, Damaged, NotFound, Refused

ROOT = Path(__file__).parent.parent.parent


def raising(error: Exception) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("This cannot be."), 1),
        (NotFound("This cannot be."), 1),
        (Conflict("This cannot be."), 1),
        (Busy("This cannot be."), 75),
        (Damaged("This cannot be."), 78),
    ],
)
def test_each_error_has_its_exit_code_and_one_line(error: Exception, code: int) -> None:
    result = CliRunner().invoke(edge.Command("x", callback=raising(error)), catch_exceptions=False)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", "Error: This cannot be.\n")


@pytest.mark.parametrize("number", sorted(edge.REMEDIES))
def test_what_a_person_can_mend_about_a_disk_is_one_line(config: Config, number: int) -> None:
    error = OSError(number, os.strerror(number))
    with create_app(config).app_context():
        result = CliRunner().invoke(edge.Command("x", callback=raising(error)), catch_exceptions=False)
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert str(config.data) in result.stderr


def test_a_fault_of_ours_is_no_clear_line() -> None:
    with pytest.raises(OSError):
        CliRunner().invoke(
            edge.Command("x", callback=raising(OSError(errno.EBADF, "Bad file descriptor"))), catch_exceptions=False
        )


def test_a_group_makes_such_commands(config: Config) -> None:
    group = edge.Group("x")

    @group.command("y")
    def y() -> None:
        raise Busy("Later.")

    assert isinstance(group.get_command(click.Context(group), "y"), edge.Command)
    with create_app(config).app_context():
        assert CliRunner().invoke(group, ["y"], obj=None, catch_exceptions=False).exit_code == 75


@pytest.mark.parametrize("arguments", [("users", "list"), ("--help",)])
def test_a_configuration_that_cannot_be_used_is_one_line(arguments: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={**os.environ, "EVENTUM_LOG_FORMAT": "xml", "EVENTUM_BASE_URL": "nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (78, "", 1)
    assert "EVENTUM_LOG_FORMAT" in run.stderr and "EVENTUM_BASE_URL" in run.stderr


def test_flask_finds_the_commands_from_the_root_of_the_repository(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flask", "users", "list"],
        cwd=ROOT,
        env={**os.environ, "EVENTUM_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (78, "")
    assert run.stderr.startswith(f"Error: There is no store in {tmp_path / 'data'} yet: run `flask init`")

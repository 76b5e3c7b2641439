"""A store of its own for each test, and `flask` as a person calls it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from app import create_app
from eventum.config import Config

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "data", secret_file=tmp_path / "instance" / "secret.json", cache=tmp_path / "cache")


@pytest.fixture
def bare_flask(config: Config) -> Run:
    """`flask ...` where nothing was initialised; each call is an application of its own, as each is a process."""

    def run(*arguments: str, stdin: str = "") -> Result:
        return create_app(config).test_cli_runner().invoke(args=list(arguments), input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def flask(bare_flask: Run) -> Run:
    """`flask ...` on a store with an administrator, one project and one developer."""
    for line in (
        ("init", "--admin-email", "admin@example.org", "--admin-name", "Ada"),
        ("projects", "add", "Help desk", "--sender-email", "help@example.org", "--category", "Question"),
        ("users", "add", "dev@example.org", "--name", "Dee", "--member", "Help desk:developer"),
    ):
        result = bare_flask(*line)
        assert result.exit_code == 0, result.output
    return bare_flask


@pytest.fixture
def asked(flask: Run) -> Callable[..., Any]:
    """The JSON document that a command prints."""

    def ask(*arguments: str, stdin: str = "") -> Any:
        result = flask(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return msgspec.json.decode(result.stdout)

    return ask

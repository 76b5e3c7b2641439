"""`flask ...` on the store of a `House`; each call is an application of its own, as each is a process."""

from typing import Any

import msgspec
from click.testing import Result

from app import create_app
from tests.house import House


def called(house: House, *arguments: str, stdin: str | bytes = "") -> Result:
    """What the command printed, and its exit code."""
    runner = create_app(house.config).test_cli_runner()
    return runner.invoke(args=list(arguments), input=stdin, catch_exceptions=False)


def asked(house: House, *arguments: str, stdin: str | bytes = "") -> Any:
    """The one JSON document the command printed; nothing else may stand on stdout."""
    result = called(house, *arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return msgspec.json.decode(result.stdout)


def refused(house: House, *arguments: str) -> tuple[int, str]:
    """Exit code and the one line on stderr of a command that printed nothing else."""
    result = called(house, *arguments)
    assert result.stdout == "" and (result.exit_code == 2 or result.stderr.count("\n") == 1), result.output
    return result.exit_code, result.stderr

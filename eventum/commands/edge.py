"""Where a command meets the person or script that called it: the tracker it works on, and errors made exit codes.

Flows in: what a command's body raises. Flows out: one line on stderr and the exit code of the interface, never a
traceback for something a person can mend. The table of design.md is translated here once, for every command.
"""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup

from eventum.commands import logs
from eventum.errors import Busy, Damaged, EventumError

if TYPE_CHECKING:
    from eventum.tracker.tracker import Tracker

DONE = 0
FAILED = 1
USAGE = 2
BUSY = 75  # EX_TEMPFAIL of sysexits.h
SET_UP = 78  # EX_CONFIG

Body = TypeVar("Body", bound=Callable[..., Any])

# What a person can mend about a disk or its rights; any other OSError is a fault of ours and stays a traceback.
REMEDIES = {
    errno.EACCES: "give this user the right to read and write it, or run this as its owner",
    errno.EPERM: "give this user the right to read and write it, or run this as its owner",
    errno.ENOENT: "it is missing; put it back from a backup, or run `flask verify`",
    errno.EROFS: "mount it so that it can be written",
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space or raise the quota",
    errno.EIO: "look at that disk: it does not read or write",
    errno.ENOTDIR: "something on the way to it is a file; name another place",
    errno.EXDEV: "put the whole data folder on one file system",
    errno.ENOLCK: "the file system gives no locks; use one with flock",
    errno.ENOTSUP: "the file system gives no locks; use one with flock",
    errno.EMFILE: "raise the number of open files (`ulimit -n`)",
}


def tracker() -> "Tracker":
    """The tracker of this app, its store checked. Raises `Damaged` when it is not initialised or somebody else's."""
    found = bare_tracker()
    logs.set_up(found.config.log_format)
    return found.open()


def bare_tracker() -> "Tracker":
    """The tracker of this app, before anything is known about its store (`init` and `demo` only)."""
    found: Tracker = current_app.extensions["eventum"]
    return found


def exit_code(error: EventumError) -> int:
    """The exit code of the interface for an error of ours."""
    match error:
        case Busy():
            return BUSY
        case Damaged():
            return SET_UP
    return FAILED


def say(message: str) -> None:
    """One line for the person, on stderr, where no script looks for results."""
    click.echo(message, err=True)


def fail(message: str, code: int) -> NoReturn:
    """End the command with one line on stderr and this exit code."""
    say(f"Error: {' '.join(message.split())}")
    raise click.exceptions.Exit(code)


@contextmanager
def translated() -> Iterator[None]:
    """Errors a person can mend become one line and an exit code."""
    try:
        yield
    except EventumError as error:
        fail(str(error), exit_code(error))
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        # A full disk names no file: the data folder is the only thing that every command writes to.
        place = error.filename or bare_tracker().config.data
        fail(f"{place}: {error.strerror}; {remedy}.", SET_UP)


@contextmanager
def starting() -> Iterator[None]:
    """For `create_app`: a configuration that cannot be used ends the program with its one line, not a traceback."""
    try:
        yield
    except Damaged as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(SET_UP)


class Command(click.Command):
    """A command whose errors are translated."""

    def invoke(self, ctx: click.Context) -> Any:
        """The body's own return value."""
        with translated():
            return super().invoke(ctx)


class Group(AppGroup):
    """A group of such commands."""

    command_class = Command


def json_option(body: Body) -> Body:
    """The `--json` of everything that lists or shows, given to the body as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")(
        body
    )

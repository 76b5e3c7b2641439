"""Passwords on their way in: from stdin or a prompt, never from the command line, where every user could read them.

Flows in: what was piped or typed. Flows out: the password, or its hash for people who log in here.
"""

import sys
from collections.abc import Callable

import click

from eventum.commands.edge import Body
from eventum.errors import Refused


def stdin_option(text: str = "Read the password from stdin: the first line.") -> "Callable[[Body], Body]":
    """The `--password-stdin` of a command, given to its body as `password_stdin`."""
    return click.option("--password-stdin", is_flag=True, help=text)


def asked(from_stdin: bool, prompt: str) -> str | None:
    """The password from stdin, or typed twice on a terminal; None when there is no terminal or nothing was typed."""
    if from_stdin:
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise Refused("There is no password on stdin; pipe it in as one line.")
        return line
    if not sys.stdin.isatty():
        return None
    typed = click.prompt(prompt, default="", show_default=False, hide_input=True, confirmation_prompt=True, err=True)
    return str(typed) or None


def piped_or_typed(from_stdin: bool, prompt: str) -> str:
    """As `asked`, for a command that cannot do without."""
    password = asked(from_stdin or not sys.stdin.isatty(), prompt)
    if password is None:
        raise click.UsageError("A password is needed: type it, or pipe it in with --password-stdin.")
    return password


def hashed(password: str) -> str:
    """What is kept of a password with which somebody logs in here. Raises `Refused` for a short one."""
    from eventum.tracker import passwords

    return passwords.hashed(password)

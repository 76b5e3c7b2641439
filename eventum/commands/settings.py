"""`flask settings`: the General Setup by its keys."""

import click
import msgspec
from flask import Blueprint

from eventum.commands import edge, passwords, printing

bp = Blueprint("settings", __name__, cli_group=None)


@bp.cli.group("settings", cls=edge.Group)
def settings() -> None:
    """The General Setup: the outgoing server, routing, links. docs/settings.md describes each key.

    \b
    Example:
        flask settings list
    """


@settings.command("list")
@edge.json_option
def list_(as_json: bool) -> None:
    """Every key with its value; of the password only whether there is one.

    \b
    Example:
        flask settings list --json
    """
    from eventum.tracker import general

    rows = [msgspec.structs.asdict(setting) for setting in general.listed(edge.tracker())]
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table(rows, ("key", "value"))


@settings.command("get")
@click.argument("key")
@edge.json_option
def get(key: str, as_json: bool) -> None:
    """The value of one key, alone on a line.

    \b
    Example:
        flask settings get smtp.host
    """
    from eventum.tracker import general

    setting = general.asked(edge.tracker(), key)
    if as_json:
        printing.print_json(msgspec.structs.asdict(setting))
    else:
        printing.print_value(setting.value)


@settings.command("set")
@click.argument("key")
@click.argument("value", required=False)
@passwords.stdin_option("Read the value from stdin: the first line.")
def set_(key: str, value: str | None, password_stdin: bool) -> None:
    """Set one key. A list is written with commas. smtp.password and metrics.token come from stdin or a prompt.

    \b
    Examples:
        flask settings set smtp.host mail.example.org
        flask settings set smtp.password --password-stdin < smtp-password.txt
    """
    from eventum.tracker import general

    if key in general.SECRETS and value != "":
        if value is not None:
            raise click.UsageError(f"{key} is not taken from the command line; pipe it in or type it.")
        asked = "Password for the SMTP server" if key == general.PASSWORD else "Token for /metrics"
        value = passwords.piped_or_typed(password_stdin, asked)
    if value is None:
        raise click.UsageError(f"Give {key} a value; '' takes it away.")
    setting, lacking = general.changed(edge.tracker(), key, value)
    click.echo(
        f"{setting.key} is set." if key in general.SECRETS else f"{setting.key} = {printing.cell(setting.value)}"
    )
    for sentence in lacking:
        edge.say(sentence)

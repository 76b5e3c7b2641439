"""`flask users`: people who work on issues, their roles and what they want to be told."""

from typing import Any

import click
from flask import Blueprint

from eventum.commands import edge, passwords, printing
from eventum.commands.edge import Body

bp = Blueprint("users", __name__, cli_group=None)


@bp.cli.group("users", cls=edge.Group)
def users() -> None:
    """People who work on issues, their roles and what they want to be told.

    \b
    Example:
        flask users list
    """


def _options(body: Body) -> Body:
    """What `add` and `set` have in common."""
    for option in reversed(
        (
            click.option("--name", metavar="N", help="The name, as it stands in mails."),
            passwords.stdin_option(),
            click.option(
                "--member", metavar="PROJECT:ROLE", multiple=True, help="A role in a project (`none` ends it)."
            ),
            click.option("--alias", metavar="A", multiple=True, help="Another address of the same person."),
            click.option("--administrator/--no-administrator", default=None, help="May change everything, everywhere."),
            click.option(
                "--preference", metavar="PROJECT:NAME=on|off", multiple=True, help="all_new, assigned or own_actions."
            ),
            click.option("--language", metavar="CODE", help="Language of mails to this person: en or ja."),
            click.option("--timezone", metavar="ZONE", help="Like Europe/Berlin."),
        )
    ):
        body = option(body)
    return body


@users.command("add")
@click.argument("email")
@_options
@edge.json_option
def add(email: str, as_json: bool, **given: Any) -> None:
    """Add a user.

    \b
    Example:
        flask users add dev@example.org --name "Dee Velop" --member "Help desk:developer"
    """
    if not given["name"]:
        raise click.UsageError('Say who it is: --name "Dee Velop".')
    _save(None, email, passwords.asked(given["password_stdin"], "Password (nothing: no login)"), given, as_json)


@users.command("set")
@click.argument("email")
@_options
@click.option("--email", "new_email", metavar="E", help="A new address; the old one can be kept as --alias.")
@click.option("--active/--inactive", default=None, help="Whether the user may log in and is told anything.")
@edge.json_option
def change(email: str, as_json: bool, **given: Any) -> None:
    """Change a user; what is not named stays. Aliases named replace those before; --alias "" takes all away.

    \b
    Example:
        flask users set dev@example.org --member "Help desk:manager" --preference "Help desk:all_new=on"
    """
    password = passwords.asked(True, "") if given["password_stdin"] else None
    _save(email, given.pop("new_email"), password, given, as_json)


@users.command("deactivate")
@click.argument("email")
def deactivate(email: str) -> None:
    """Let a user no longer log in or be told anything; what he did stays.

    \b
    Example:
        flask users deactivate dev@example.org
    """
    from eventum.tracker import membership

    user = membership.save_user(edge.tracker(), email, membership.UserForm(active=False))
    click.echo(f"{user.email} is deactivated.")


@users.command("list")
@edge.json_option
def list_(as_json: bool) -> None:
    """All users, those deactivated too.

    \b
    Example:
        flask users list --json
    """
    from eventum.tracker import membership

    tracker = edge.tracker()
    rows = [membership.user_row(tracker, user) for user in tracker.people.users()]
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table(rows, ("id", "email", "name", "roles", "administrator", "active"))


@users.command("show")
@click.argument("email")
@edge.json_option
def show(email: str, as_json: bool) -> None:
    """One user, by address, alias or id.

    \b
    Example:
        flask users show dev@example.org
    """
    from eventum.tracker import membership

    tracker = edge.tracker()
    row = membership.user_row(tracker, tracker.people.user(email))
    printing.print_json(row) if as_json else printing.print_fields(row)


def _save(name: str | None, email: str | None, password: str | None, given: dict[str, Any], as_json: bool) -> None:
    from eventum.tracker import membership

    tracker = edge.tracker()
    form = membership.UserForm(
        email=email,
        name=given["name"],
        aliases=tuple(alias for alias in given["alias"] if alias) if given["alias"] else None,
        password=passwords.hashed(password) if password else None,
        administrator=given["administrator"],
        active=given.get("active"),
        language=given["language"],
        timezone=given["timezone"],
        members=tuple(_member(text) for text in given["member"]),
        preferences=tuple(_preference(text) for text in given["preference"]),
    )
    row = membership.user_row(tracker, membership.save_user(tracker, name, form))
    if as_json:
        printing.print_json(row)
    else:
        click.echo(f"{row['email']} {'is changed' if name else 'is added'} ({row['id']}).")


def _member(text: str) -> tuple[str, str]:
    project, colon, role = text.rpartition(":")
    if not (colon and project and role):
        raise click.UsageError(f"{text!r} is not PROJECT:ROLE, like 'Help desk:developer'.")
    return project, role


def _preference(text: str) -> tuple[str, str, bool]:
    left, equals, wanted = text.rpartition("=")
    project, colon, name = left.rpartition(":")
    if not (equals and colon and project) or wanted not in ("on", "off"):
        raise click.UsageError(f"{text!r} is not PROJECT:NAME=on|off, like 'Help desk:all_new=on'.")
    return project, name, wanted == "on"

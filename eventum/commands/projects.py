"""`flask projects`: what issues belong to, and how mail about them is signed."""

from typing import Any

import click
from flask import Blueprint

from eventum.commands import edge, printing
from eventum.commands.edge import Body

bp = Blueprint("projects", __name__, cli_group=None)


@bp.cli.group("projects", cls=edge.Group)
def projects() -> None:
    """What issues belong to, and how mail about them is signed.

    \b
    Example:
        flask projects list
    """


def _options(body: Body) -> Body:
    """What `add` and `set` have in common."""
    for option in reversed(
        (
            click.option("--sender-name", metavar="N", help="Name in the From of mails of this project."),
            click.option(
                "--sender-email", metavar="E", help="Address in the From; answers to it should come back here."
            ),
            click.option("--category", metavar="C", multiple=True, help="A category issues may have."),
            click.option("--priority", metavar="P", multiple=True, help="A priority, the highest first."),
            click.option("--status", metavar="S", multiple=True, help="A status, in the order of work."),
            click.option("--initial-status", metavar="S", help="The status of a new issue."),
            click.option("--alias", metavar="A", multiple=True, help="Another address of this project."),
            click.option(
                "--staff-may-mail/--no-staff-may-mail",
                default=None,
                help="Whether all staff may mail all issues, not only those they are assigned to.",
            ),
            click.option(
                "--mail-charset",
                metavar="C",
                help="What its mail is written in: utf-8, or iso-2022-jp where all of a mail fits into it.",
            ),
        )
    ):
        body = option(body)
    return body


@projects.command("add")
@click.argument("title")
@_options
@edge.json_option
def add(title: str, as_json: bool, **given: Any) -> None:
    """Add a project.

    \b
    Example:
        flask projects add "Help desk" --sender-email help@example.org --category Question --category Fault
    """
    _save(None, title, given, as_json)


@projects.command("set")
@click.argument("project")
@click.option("--title", metavar="T", help="A new title.")
@_options
@click.option("--archived/--no-archived", default=None, help="An archived project is seen by its managers only.")
@edge.json_option
def change(project: str, title: str | None, as_json: bool, **given: Any) -> None:
    """Change a project, named by title or id. What is not named stays; a list that is named replaces the one before.

    \b
    Example:
        flask projects set "Help desk" --sender-name "Example help desk" --staff-may-mail
    """
    _save(project, title, given, as_json)


@projects.command("list")
@edge.json_option
def list_(as_json: bool) -> None:
    """All projects.

    \b
    Example:
        flask projects list --json
    """
    from eventum.tracker import membership

    tracker = edge.tracker()
    rows = [membership.project_row(tracker, project) for project in tracker.people.projects()]
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table(rows, ("id", "title", "sender_email", "categories", "archived"))


@projects.command("show")
@click.argument("project")
@edge.json_option
def show(project: str, as_json: bool) -> None:
    """One project with its members, by title or id.

    \b
    Example:
        flask projects show "Help desk"
    """
    from eventum.tracker import membership

    tracker = edge.tracker()
    row = membership.project_row(tracker, tracker.people.project(project))
    printing.print_json(row) if as_json else printing.print_fields(row)


def _save(name: str | None, title: str | None, given: dict[str, Any], as_json: bool) -> None:
    from eventum.tracker import membership

    def listed(option: str) -> tuple[str, ...] | None:
        return tuple(value for value in given[option] if value) if given[option] else None

    tracker = edge.tracker()
    form = membership.ProjectForm(
        title=title,
        sender_name=given["sender_name"],
        sender_email=given["sender_email"],
        categories=listed("category"),
        priorities=listed("priority"),
        statuses=listed("status"),
        initial_status=given["initial_status"],
        aliases=listed("alias"),
        staff_may_mail=given["staff_may_mail"],
        mail_charset=given["mail_charset"],
        archived=given.get("archived"),
    )
    row = membership.project_row(tracker, membership.save_project(tracker, name, form))
    if as_json:
        printing.print_json(row)
    else:
        click.echo(f"Project {row['title']!r} {'is changed' if name else 'is added'} ({row['id']}).")

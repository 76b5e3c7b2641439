"""`flask emails`: mail of no issue, and what people decide about it."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint

from eventum.commands import edge, printing, texts
from eventum.commands.edge import Body

if TYPE_CHECKING:
    from eventum.tracker.associate import As

bp = Blueprint("emails", __name__, cli_group=None)
STATES = ("unassociated", "removed", "refused", "ignored", "duplicate")
COLUMNS = ("id", "state", "project", "from", "subject", "date")
SHOWN_ID = 12  # Characters of an id in the table: a beginning that names the mail.


@bp.cli.group("emails", cls=edge.Group)
def emails() -> None:
    """Mail of no issue, and what people decide about it.

    \b
    Example:
        flask emails list --state unassociated
    """


def _by(body: Body) -> Body:
    """Who acts; `--as` says here as what a mail is filed."""
    return click.option("--by", "who", metavar="EMAIL", help="Who does it.  [default: the first administrator]")(body)


ID = click.argument("ident", metavar="ID")


@emails.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@edge.json_option
def list_(state: str | None, as_json: bool) -> None:
    """The mail of no issue, the newest first.

    Exit code 1 when the record of a mail cannot be used; the others are listed.

    \b
    Example:
        flask emails list --state unassociated
    """
    from eventum.tracker import mails

    with closing(edge.tracker()) as tracker:
        listed = mails.listed(tracker, (state,) if state else STATES)
    if as_json:
        printing.print_json(listed.rows)
    else:
        rows = [{**row, "id": str(row["id"])[:SHOWN_ID]} for row in listed.rows]
        printing.print_table(rows, COLUMNS)
    texts.shown_or_failed(listed.damaged)


@emails.command("show")
@ID
@edge.json_option
def show(ident: str, as_json: bool) -> None:
    """One mail, of an issue or of none, and why it is where it is.

    \b
    Example:
        flask emails show 3f9a1c20
    """
    from eventum.tracker import mails

    with closing(edge.tracker()) as tracker:
        row: dict[str, Any] = mails.shown(tracker, ident)
    if as_json:
        printing.print_json(row)
        return
    fields = ("id", "account", "project", "state", "issue", "received")
    printing.print_fields({name: row[name] for name in fields})
    texts.print_mail(row, mails.why(row))


@emails.command("associate")
@ID
@click.argument("issue", metavar="ISSUE", type=click.IntRange(1, 999_999_999))
@click.option(
    "--as",
    "way",
    type=click.Choice(["email", "reference", "note"]),
    default="email",
    show_default=True,
    help="An e-mail that the notification list is told of, one that nobody is told of, or a note for staff.",
)
@_by
@edge.json_option
def associate(ident: str, issue: int, way: "As", who: str | None, as_json: bool) -> None:
    """Put a mail of no issue into an issue.

    \b
    Example:
        flask emails associate 3f9a1c20 42 --as note
    """
    from eventum.tracker import associate as associating
    from eventum.tracker import mails

    with closing(edge.tracker()) as tracker:
        key = mails.key_of(tracker, ident)
        done = associating.associate(tracker, who, key, associating.Aim(issue, way))
        if as_json:
            printing.print_json(mails.shown(tracker, key))
        else:
            click.echo(f"The mail {key[:SHOWN_ID]} is in issue {issue}. {texts.told(done.told)}")


@emails.command("new-issue")
@ID
@click.option("--project", metavar="P", default="", help="Title or id of its project.  [default: the account's]")
@_by
@edge.json_option
def new_issue(ident: str, project: str, who: str | None, as_json: bool) -> None:
    """Open an issue for a mail of no issue, as its account would; its sender is thanked.

    \b
    Example:
        flask emails new-issue 3f9a1c20
    """
    from eventum.tracker import from_mail, mails

    with closing(edge.tracker()) as tracker:
        key = mails.key_of(tracker, ident)
        done = from_mail.open_from_mail(tracker, who, key, project)
        if as_json:
            printing.print_json(mails.shown(tracker, key))
        else:
            told = texts.told(done.told)
            click.echo(f"Issue {done.issue.number} is opened for the mail {key[:SHOWN_ID]}. {told}")


@emails.command("remove")
@ID
@_by
@edge.json_option
def remove(ident: str, who: str | None, as_json: bool) -> None:
    """Put a mail of no issue away. It is kept, and `restore` brings it back.

    \b
    Example:
        flask emails remove 3f9a1c20
    """
    from eventum.tracker import associate as associating
    from eventum.tracker import mails

    with closing(edge.tracker()) as tracker:
        key = mails.key_of(tracker, ident)
        changed = associating.remove(tracker, who, key)
        if as_json:
            printing.print_json(mails.shown(tracker, key))
        else:
            click.echo(f"The mail {key[:SHOWN_ID]} is removed{'' if changed else ' already'}.")


@emails.command("restore")
@ID
@_by
@edge.json_option
def restore(ident: str, who: str | None, as_json: bool) -> None:
    """Let a mail that was put away, or set aside by a rule, wait for somebody again.

    \b
    Example:
        flask emails restore 3f9a1c20
    """
    from eventum.tracker import associate as associating
    from eventum.tracker import mails

    with closing(edge.tracker()) as tracker:
        key = mails.key_of(tracker, ident)
        changed = associating.restore(tracker, who, key)
        if as_json:
            printing.print_json(mails.shown(tracker, key))
        else:
            click.echo(f"The mail {key[:SHOWN_ID]} {'waits again' if changed else 'waits already'}.")


@emails.command("undo")
@click.argument("issue", metavar="ISSUE", type=click.IntRange(1, 999_999_999))
@_by
def undo(issue: int, who: str | None) -> None:
    """Take back what was done last with mail in an issue: associated, opened from it, accepted.

    It works for ten minutes and as long as nothing else happened to the issue. The mail waits again, and who was not
    told yet is not.

    \b
    Example:
        flask emails undo 42
    """
    from eventum.tracker import undo as undoing

    with closing(edge.tracker()) as tracker:
        back = undoing.take_back(tracker, who, undoing.last_step(tracker, issue))
        told = f" Already told: {', '.join(back.told)}." if back.told else ""
        now = "closed and empty" if back.issue.was_taken_back else "as it was before"
        click.echo(f"Issue {issue} is {now}.{told}")

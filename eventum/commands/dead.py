"""`flask dead`: mail that no runner could handle."""

from contextlib import closing
from typing import Any

import click
from flask import Blueprint

from eventum.commands import edge, printing, texts

bp = Blueprint("dead", __name__, cli_group=None)
COLUMNS = ("id", "when", "account", "from", "subject", "size", "attempts", "reason")
SHOWN_ID = 12  # Characters of an id in the table: a beginning that names the mail.

ID = click.argument("ident", metavar="ID")


@bp.cli.group("dead", cls=edge.Group)
def dead() -> None:
    """Mail that no runner could handle, kept for a person.

    \b
    Example:
        flask dead list
    """


@dead.command("list")
@edge.json_option
def list_(as_json: bool) -> None:
    """The mails and why each is here, the oldest first.

    \b
    Example:
        flask dead list
    """
    from eventum.tracker import dead as asking

    with closing(edge.tracker()) as tracker:
        rows = asking.dead_mails(tracker)
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table([{**row, "id": str(row["id"])[:SHOWN_ID]} for row in rows], COLUMNS)


@dead.command("show")
@ID
@edge.json_option
def show(ident: str, as_json: bool) -> None:
    """One mail: why it is here, its headers, and its text when it can be read.

    \b
    Example:
        flask dead show 3f9a1c20
    """
    from eventum.tracker import dead as asking

    with closing(edge.tracker()) as tracker:
        row: dict[str, Any] = asking.dead_mail(tracker, ident)
    if as_json:
        printing.print_json(row)
        return
    printing.print_fields({name: value for name, value in row.items() if name not in ("headers", "text")})
    click.echo("\nMail")
    texts.print_text(row["headers"])
    click.echo()
    texts.print_text(row["text"] or "")


@dead.command("retry")
@ID
@edge.json_option
def retry(ident: str, as_json: bool) -> None:
    """Let a mail be decided again by the next run.

    \b
    Example:
        flask dead retry 3f9a1c20
    """
    from eventum.tracker import dead as asking

    with closing(edge.tracker()) as tracker:
        key = asking.retry(tracker, ident)
    if as_json:
        printing.print_json({"retried": [key]})
    else:
        click.echo(f"The mail {key[:SHOWN_ID]} waits for the next `flask download-emails` or `flask process-queue`.")


@dead.command("delete")
@ID
@edge.json_option
def delete(ident: str, as_json: bool) -> None:
    """Delete a mail for good.

    \b
    Example:
        flask dead delete 3f9a1c20
    """
    from eventum.tracker import dead as asking

    with closing(edge.tracker()) as tracker:
        key = asking.delete(tracker, ident)
    printing.print_json({"deleted": key}) if as_json else click.echo(f"The mail {key[:SHOWN_ID]} is deleted.")
